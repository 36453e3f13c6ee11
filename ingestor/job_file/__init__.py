"""Job files: what `hdi-submit --job FILE` reads, checked and with its days resolved."""

from ingestor.job_file.job_settings import JOB_SETTINGS
from ingestor.job_file.load import JobFile, JobRequest, load_job_file
from ingestor.job_file.model import job_file_schema

__all__ = ["JOB_SETTINGS", "JobFile", "JobRequest", "job_file_schema", "load_job_file"]
