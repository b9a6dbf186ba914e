"""How many normal recordings of a machine are wanted: said alike by every sentence that says it."""

WANTED = 20
"""Normal recordings of a machine: 19 can speak of a false-alarm rate of 5 %, and one may prove unfit."""
HOW_MANY = f"{WANTED} or more are wanted, and with n of them the lowest false-alarm rate is 1 / (n + 1)"
"""What stands behind a number of recordings that is too small."""
