// Behaviour of the candles page; loaded by pages that ask for this part.
