"""Recordings scored by many processes, on one machine or many: by Ray, by Spark, or by any other engine.

`ScoreBatch` takes batches of paths and gives batches of records, wherever it is called. `ray_run` is what
``osscl score --runner ray`` does with it: a table in parts, each recording in it exactly once.
"""

from osscl.distributed.score_batch import ScoreBatch

__all__ = ["ScoreBatch"]
