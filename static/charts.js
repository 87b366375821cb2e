// Behaviour of the charts page; loaded by pages that ask for this part.
