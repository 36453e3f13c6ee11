"""The language of rules: one line of text → what it says of every record of a batch.

The text is parsed with Python's grammar, walked against a white list and never run as Python. Units
are checked when it is compiled; a batch is judged column by column, exactly.
"""

from ingestor.validate.expression.compiler import Expression, compile_expression
from ingestor.validate.expression.fault import ExpressionFault
from ingestor.validate.expression.truth import Truth

__all__ = ["Expression", "ExpressionFault", "Truth", "compile_expression"]
