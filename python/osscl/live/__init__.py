"""Recordings as they come: a folder that is watched for weeks."""
