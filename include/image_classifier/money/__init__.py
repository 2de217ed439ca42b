"""What a run would change and cost, whether that is too much, and what it did cost."""

from image_classifier.money.plan import Cost, Line, Plan, check_budget
from image_classifier.money.prices import IMPATIENT, Price, PriceBook, price_book
from image_classifier.money.report import RunReport, report_of
from image_classifier.money.survey import Wishes, survey

__all__ = [
    "IMPATIENT",
    "Cost",
    "Line",
    "Plan",
    "Price",
    "PriceBook",
    "RunReport",
    "Wishes",
    "check_budget",
    "price_book",
    "report_of",
    "survey",
]
