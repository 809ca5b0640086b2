"""What the functions are compared with: REF, the imports that any Python service of this kind
begins with, and NAIVE, a usual handler.
"""
