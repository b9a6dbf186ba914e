"""Loggers below ``osscl``, which stay silent until the program that uses the library listens to them."""

import logging


def quiet_logger(name: str) -> logging.Logger:
    """Give a logger that says nothing by itself, not even warnings.

    Parameters
    ----------
    name : str
        Its name, which begins with ``osscl``.

    Returns
    -------
    logging.Logger
        The logger.
    """
    return logging.getLogger(name)


logging.getLogger("osscl").addHandler(logging.NullHandler())
