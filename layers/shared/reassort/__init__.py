"""Reissue of voting identifiers: the domain that every function and the operators' command
share.
"""
