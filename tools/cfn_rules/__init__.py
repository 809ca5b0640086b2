"""Rules of cfn-lint about this service on AWS; `.cfnlintrc` loads them. `E9xyy` is the rule for
requirement A`yy`.
"""
