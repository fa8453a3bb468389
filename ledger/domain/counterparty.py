"""Names of counterparties as banks write them, and as people know them."""

import regex


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What payment systems put around a name: who routed it, how, and their reference.
_ROUTING = _words(
    "ACH SEPA WIRE POS PURCHASE PAYMENT PMT PYMT DEBIT CREDIT CARD VISA MASTERCARD MC DIRECTDEP DD DES ID INDN CO "
    "PPD CCD WEB RECURRING AUTOPAY ONLINE TRANSFER XFER TRF REF INV INVOICE CHECKCARD CKCD SQ TST PAYPAL SP EFT "
    "BACS FPS EREF KREF MREF CRED DEBT SVWZ"
)
_LEGAL = _words(
    "INC INCORPORATED LLC LTD LIMITED CORP CORPORATION CO GMBH AG SA SAS SARL BV NV PLC PTE PTY OY AB KG UG SRL"
)
# In half of all names, or of all accounts: they tell nothing.
_VAGUE = _words("BANK ACCOUNT CHECKING SAVINGS PAYOUT DEPOSIT THE AND VENDOR CUSTOMER USD EUR GBP")
_WHOLE = {
    "AMZN WEB SVCS": "Amazon Web Services",
    "AMAZON WEB SERVICES": "Amazon Web Services",
    "AWS": "Amazon Web Services",
    "AWS EMEA": "Amazon Web Services",
    "AMZN MKTP": "Amazon Marketplace",
    "GOOGLE CLOUD": "Google Cloud",
    "GOOGLE GSUITE": "Google Workspace",
    "GOOGLE WORKSPACE": "Google Workspace",
    "MSFT AZURE": "Microsoft Azure",
    "MICROSOFT AZURE": "Microsoft Azure",
    "GITHUB": "GitHub",
    "LINKEDIN": "LinkedIn",
    "OPENAI": "OpenAI",
    "STRIPE": "Stripe",
    "GUSTO": "Gusto",
}
# Noise between the words: anything but letters, digits and what stands inside a name.
_BREAKS = regex.compile(r"[^\p{L}\p{N}&'+-]+")
_DOMAIN = regex.compile(r"\.(?:COM|IO|AI|NET|ORG|CO|DE|DEV)\b(?:/\S*)?", regex.IGNORECASE)
# A reference: digits, perhaps between letters, as no name has them ("Q1X2345", "0042317"). "Vendor 018" is a name.
_REFERENCE = regex.compile(r"(?=\S*\d{4})\S+|(?=\S*\d\S*\d)(?=\S*\p{L}\S*\d\S*\p{L}|\S*\d\S*\p{L}\S*\d)\S+|\*+\S*")
_SHORT_WORD = 3
MAX_PASSES = 8


def clean_name(raw: str) -> str:
    """Return the name that a counterparty is known by: `AMZN WEB SVCS 123 REF 0042317` -> `Amazon Web Services`.

    Routing words, references, legal forms at the end and domains go; what was shouted is said in title case. The
    same text always gives the same name, a clean name gives itself, and a text of nothing but noise stays as
    it is, only with its spaces settled.
    """
    settled = " ".join(raw.split())
    # What goes may uncover what goes next; every pass but the last takes something away.
    for _ in range(MAX_PASSES):
        cleaned = _clean_once(settled)
        if cleaned == settled:
            break
        settled = cleaned
    return settled


def _clean_once(raw: str) -> str:
    words = [word.strip("'-+") for word in _BREAKS.split(_DOMAIN.sub(" ", raw.replace("*", " ")))]
    named = [word for word in words if word and not _REFERENCE.fullmatch(word)]
    known = _known(named)
    if known:
        return known
    kept = [word for word in named if word.upper() not in _ROUTING]
    while len(kept) > 1 and kept[-1].upper() in _LEGAL:
        kept.pop()
    if not any(word != "&" for word in kept):
        return raw
    known = _known(kept)
    if known:
        return known
    if raw.upper() == raw:
        kept = [word if len(word) <= _SHORT_WORD and word.isupper() else word.capitalize() for word in kept]
    return " ".join(kept)[:255]


def _known(words: list[str]) -> str:
    """The name of a company that banks abbreviate in well-known ways, told by the words it begins with."""
    for count in (3, 2, 1):
        name = _WHOLE.get(" ".join(words[:count]).upper())
        if name and (count > 1 or len([word for word in words if not word.isdigit()]) <= count + 1):
            return name
    return ""


def share_a_word(first: str, second: str) -> bool:
    """Whether two names have a word of at least three letters in common, such as `stripe` and `STRIPE PAYOUT`."""
    return bool(telling_words(first) & telling_words(second))


def telling_words(name: str) -> set[str]:
    """The words of a name by which it is told from others, in capitals."""
    words = (word.upper() for word in _BREAKS.split(name.replace("-", " ").replace("_", " ")))
    return {word for word in words if len(word) >= _SHORT_WORD and not word.isdigit()} - _ROUTING - _VAGUE
