"""The queue's own processes: Celery workers and the scheduler. `celery -A workers.app worker`."""
