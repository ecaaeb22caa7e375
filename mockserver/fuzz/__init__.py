"""Schemathesis campaigns against a server of ours, in process."""
