"""Options by which new recordings are scored like those that were enrolled: for the command that is next."""

from osscl.enrolment.options import EnrolOptions
from osscl.support.paths import printable


def options_of_scoring(options: EnrolOptions) -> list[str]:
    """Name what was asked for that `osscl score` must be asked for again.

    A model file keeps none of it: neither how machines are named, nor how recordings are made to fit, nor the
    rate that is decided at.

    Parameters
    ----------
    options : EnrolOptions
        How recordings became memories.

    Returns
    -------
    list of str
        Words of a command line. Of a table of labels the place alone stands there: new recordings need their
        own.
    """
    fit = options.fit
    given = {
        "--machine": options.machine,
        "--labels": None if options.labels is None else "NEW_LABELS.csv",
        "--machine-pattern": None if options.machine_pattern is None else printable(options.machine_pattern),
        "--resample": fit.resample or None,
        "--channel": None if fit.channel is None else str(fit.channel),
        "--pad": fit.pad,
        "--hop": None if options.hop_s is None else repr(options.hop_s),
        "--false-alarm-rate": None if options.false_alarm_rate is None else repr(options.false_alarm_rate),
    }
    words: list[str] = []
    for option, value in given.items():
        if value is True:
            words.append(option)
        elif value is not None:
            words += [option, str(value)]
    return words
