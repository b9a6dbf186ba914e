"""Why a clip is flagged: what is heard in it beyond the machine's own normal clips."""
