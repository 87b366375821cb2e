// Behaviour of the grid page; loaded by pages that ask for this part.
