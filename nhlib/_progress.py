"""Progress bars for what may take long."""

from tqdm import tqdm

# Seconds after which people wonder whether anything happens.
_PATIENCE = 2


def progress_bar(
    what: str, total: int | None, unit: str, show: bool = True, initial: int = 0
) -> tqdm:
    """Return a bar that appears after two seconds, and disappears when all is done.

    Parameters
    ----------
    what : str
        What is done, one word.
    total : int or None
        How many units there are to do, if that is known.
    unit : str
        What is counted, in the plural.
    show : bool, default True
        False hides it. The environment variable ``TQDM_DISABLE=1`` hides every bar.
    initial : int, default 0
        How many of them an earlier run has done.
    """
    hide = {} if show else {"disable": True}  # disable=False would overrule TQDM_DISABLE
    return tqdm(
        desc=what,
        total=total,
        unit=f" {unit}",
        initial=initial,
        delay=_PATIENCE,
        leave=False,
        **hide,
    )
