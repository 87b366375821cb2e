// Behaviour of the backtest page; loaded by pages that ask for this part.
