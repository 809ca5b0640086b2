"""A template as AWS sees it: translated by SAM, with its API document, and with the values of its
parameters.
"""
