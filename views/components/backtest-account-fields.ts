// Rules of the instrument, account and execution as cards of the backtest form. Plain data; the ranges are
// proved against the readers of the documents.
import {
  choiceField as choice,
  type FieldCard,
  numberField as number,
  switchField as toggle,
} from "./backtest-field-kinds.ts";

/** Trading rules of the instrument. */
export const INSTRUMENT_CARD: FieldCard = {
  id: "instrument",
  title: "Instrument rules",
  groups: [
    {
      fields: [
        number("instrument.price_tick", "Price tick", "quote", {
          help: "Smallest step of a price. Every order price lies on this grid.",
        }),
        number("instrument.qty_step", "Quantity step", "base", {
          help: "Smallest step of a quantity.",
        }),
        number("instrument.min_qty", "Min quantity", "base", {
          min: 0,
          help: "Entries and rungs below it are skipped; exits never are. 0 for none.",
        }),
        number("instrument.min_notional", "Min notional", "quote", {
          min: 0,
          help: "Smallest value of an entry or rung. 0 for none.",
        }),
        number("instrument.contract_size", "Contract size", "base", {
          help: "Multiplies every amount of money. 1 unless a contract is not one coin.",
        }),
      ],
    },
  ],
};

/** Account and costs; ratios of the run document stand here in percent. */
export const CAPITAL_CARD: FieldCard = {
  id: "capital",
  title: "Capital and fees",
  groups: [
    {
      fields: [
        number("run.initial_balance", "Balance", "quote", {
          step: 100,
          help: "What the account starts with.",
        }),
        number("run.leverage", "Leverage", "×", {
          step: 1,
          min: 1,
          max: 200,
          help: "Limits the margin that is used. It never scales a size.",
        }),
        number("run.maker_fee", "Maker fee", "%", {
          step: 0.01,
          help: "Of orders that rest at the exchange. Below zero it is a rebate.",
        }),
        number("run.taker_fee", "Taker fee", "%", {
          step: 0.01,
          help: "Of market orders and of limits that cross.",
        }),
        number("run.slippage_bps", "Slippage", "bps", {
          step: 1,
          min: 0,
          help: "Worse price of market orders, in hundredths of a percent.",
        }),
        number("run.maintenance_margin_rate", "Maintenance margin", "%", {
          step: 0.1,
          min: 0,
          help: "Equity below this share of the notional is liquidated.",
        }),
        toggle("funding", "Pay and receive funding", {
          help: "Uses the funding rates of the perpetual that are stored, or fetched with the history.",
        }),
      ],
    },
  ],
};

/** How orders fill. */
export const EXECUTION_CARD: FieldCard = {
  id: "execution",
  title: "Execution model",
  groups: [
    {
      fields: [
        choice(
          "run.fill_model",
          "Path inside a candle",
          [
            ["path", "Nearer extreme first"],
            ["pessimistic", "Adverse extreme first"],
          ],
          {
            isWide: true,
            help: "Neither is a safe bound: with a ladder the adverse path can end better.",
          },
        ),
        choice(
          "run.entry_fill",
          "Market entries fill",
          [
            ["next_open", "At the next open"],
            ["close", "At the close that decided"],
          ],
          { isWide: true, help: "Of market entries only." },
        ),
        toggle("run.touch_fills", "Limits fill when touched", {
          help: "Off: the price must go beyond them.",
        }),
      ],
    },
  ],
};
