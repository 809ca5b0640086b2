"""`reassort report`: what happened in an election, as figures, as plots and as one page that needs
nothing else.
"""
