"""How people who did something are named on pages."""

from django import template

from ledger.domain.actor import person

register = template.Library()
register.filter("who", person)
