"""What an AWS account must be like before a deploy, and what a deployed stack must be like:
`reassort check`.
"""
