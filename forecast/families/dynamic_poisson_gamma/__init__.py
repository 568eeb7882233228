"""Gamma levels of many units, filtered forward under many discounts that are weighted as they predict."""
