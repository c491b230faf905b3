"""Money is Decimal in the domain and integer minor units on disk."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# ISO 4217 currencies whose minor unit is not 1/100.
WITHOUT_CENTS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
IN_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
MINOR_DIGITS = dict.fromkeys(WITHOUT_CENTS.split(), 0) | dict.fromkeys(IN_THOUSANDTHS.split(), 3)


def minor_digits(currency: str) -> int:
    """Return how many decimals an amount in this currency has (ISO 4217)."""
    return MINOR_DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency; exact until ``rounded`` is asked for."""

    amount: Decimal
    currency: str

    def rounded(self) -> "Money":
        """Return the amount half-up at the currency's minor unit: the one place that rounds."""
        step = Decimal(1).scaleb(-minor_digits(self.currency))
        return Money(self.amount.quantize(step, rounding=ROUND_HALF_UP), self.currency)

    def minor(self) -> int:
        """Return whole minor units (cents).

        Raises:
            ValueError: the amount has more decimals than the currency.

        """
        scaled = self.amount.scaleb(minor_digits(self.currency))
        if scaled != scaled.to_integral_value():
            msg = "an unrounded amount has no minor units"
            raise ValueError(msg)
        return int(scaled)

    @classmethod
    def from_minor(cls, units: int, currency: str) -> "Money":
        """Return the amount that ``minor`` wrote."""
        return cls(Decimal(units).scaleb(-minor_digits(currency)), currency)

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            msg = "amounts of two currencies have no sum"
            raise ValueError(msg)
        return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
