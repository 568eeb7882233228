"""Countries as ViEWS numbers them, by their numbers of Gleditsch and Ward.

From the table of countries of the ViEWS prediction challenge (https://github.com/prio-data/prediction_competition_2023,
read in 2026): the ids of the states of today.
"""

from __future__ import annotations

from collections.abc import Sequence

from forecast.errors import InputError
from forecast.events.ucdp_countries import country_numbers

# fmt: off
COUNTRY_IDS = {
    2: 234, 20: 183, 31: 26, 40: 30, 41: 24, 42: 23, 51: 25, 52: 3, 53: 18, 54: 19, 55: 20, 56: 21, 57: 22, 58: 35,
    60: 36, 70: 17, 80: 27, 90: 16, 91: 32, 92: 31, 93: 33, 94: 29, 95: 34, 100: 28, 101: 4, 110: 1, 115: 2, 130:
    11, 135: 13, 140: 9, 145: 8, 150: 12, 155: 10, 160: 7, 165: 14, 200: 39, 205: 38, 210: 108, 211: 104, 212: 107,
    220: 105, 221: 72, 223: 106, 225: 109, 230: 46, 232: 68, 235: 45, 260: 184, 290: 101, 305: 97, 310: 100, 316:
    98, 317: 102, 325: 85, 331: 88, 338: 87, 339: 82, 340: 233, 341: 231, 343: 86, 344: 84, 346: 83, 347: 232, 349:
    103, 350: 93, 352: 90, 355: 89, 359: 115, 360: 116, 365: 65, 366: 111, 367: 113, 368: 114, 369: 117, 370: 110,
    371: 125, 372: 92, 373: 126, 375: 112, 380: 66, 385: 64, 390: 99, 395: 37, 402: 40, 403: 80, 404: 49, 411: 76,
    420: 54, 432: 50, 433: 52, 434: 74, 435: 244, 436: 78, 437: 41, 438: 48, 439: 47, 450: 43, 451: 53, 452: 42,
    461: 81, 471: 69, 475: 79, 481: 169, 482: 70, 483: 214, 484: 166, 490: 167, 500: 235, 501: 237, 510: 242, 516:
    155, 517: 156, 520: 120, 522: 55, 530: 57, 531: 56, 540: 165, 541: 162, 551: 157, 552: 158, 553: 161, 560: 163,
    565: 170, 570: 160, 571: 154, 572: 164, 580: 172, 581: 159, 590: 173, 591: 174, 600: 243, 615: 67, 616: 73, 620:
    213, 625: 245, 626: 246, 630: 128, 640: 96, 645: 60, 651: 222, 652: 220, 660: 94, 663: 62, 666: 218, 670: 131,
    678: 124, 690: 129, 692: 127, 694: 130, 696: 132, 698: 119, 700: 133, 701: 122, 702: 137, 703: 134, 704: 123,
    705: 63, 710: 199, 712: 58, 713: 198, 731: 143, 732: 146, 740: 142, 750: 223, 760: 139, 770: 136, 771: 138, 775:
    149, 780: 121, 781: 118, 790: 135, 800: 150, 811: 147, 812: 148, 816: 151, 820: 205, 830: 206, 835: 140, 840:
    145, 850: 209, 860: 176, 900: 177, 910: 179, 920: 171, 935: 182, 940: 180, 950: 168, 970: 77, 971: 178, 972: 6,
    973: 181, 983: 152, 986: 144, 987: 153, 990: 5,
}
# fmt: on
"""Number of Gleditsch and Ward to country_id of ViEWS."""


def country_ids(countries: Sequence[str]) -> list[int]:
    """Return the country_id of each country.

    Raises
    ------
    InputError
        For a name that is not known, or of a state that ViEWS does not number.

    Examples
    --------
    >>> country_ids(["Mali", "Burkina Faso", "Niger"])
    [50, 47, 78]
    """
    found = []
    for country in countries:
        ids = [COUNTRY_IDS[number] for number in country_numbers([country]) if number in COUNTRY_IDS]
        if len(ids) != 1:
            raise InputError(f"country {country!r} has {len(ids) or 'no'} country_id of ViEWS", expected="one")
        found.append(ids[0])
    return found
