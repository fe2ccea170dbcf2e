"""Made-up people: `Person(first_name, last_name, language, address, phone)`, the same ones each time.

Addresses are at example.org (RFC 2606), phone numbers among the 555-01xx that are set aside for fiction.
"""

import random
import unicodedata
from dataclasses import dataclass

_FIRST_EN = """
Mary James Patricia Robert Linda John Barbara Michael Susan William Margaret David Dorothy Richard Helen Thomas Ruth Charles Carol Joseph
Sharon George Deborah Kenneth Janet Walter Gloria Harold Beverly Raymond Joyce Eugene Darnell Keisha Tyrone Latoya Mei Priya Arjun
Fatima Omar Siobhán Seán Zoë Renée André Björn Ingrid Yuki Mary-Ellen Jo-Ann Chidi Amara Ezra Naomi Loretta Clarence Wanda Curtis Yvonne
Melvin
"""
_LAST_EN = """
Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson Martin Lee Thompson White Harris Clark Lewis Robinson
Walker Young Allen King Wright Scott Hill Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards
Collins O’Brien O’Connor D’Angelo D’Souza McAllister MacLeod Washington-Reed Taylor-Brooks Nguyen Tran Kowalski Müller Lefèvre Okonkwo Patel
Haddad Kim Novák
"""
_FIRST_ES = """
María José Carmen Luis Ana Juan Rosa Carlos Guadalupe Jesús Teresa Miguel Margarita Ángel Lucía Raúl Inés Óscar Beatriz Andrés Consuelo
Ramón Sofía Rubén Mónica Héctor Verónica Víctor Pilar Germán Yolanda Iván Dolores Tomás Esperanza Joaquín Graciela Íñigo Begoña Agustín
"""
_DOUBLE_ES = "María José, Juan Carlos, Ana María, José Luis, María del Carmen, Luz Elena, Miguel Ángel, Rosa Isela"
_LAST_ES = """
García Hernández Martínez López González Pérez Rodríguez Sánchez Ramírez Cruz Flores Gómez Morales Vázquez Reyes Jiménez Torres Díaz
Gutiérrez Ruiz Mendoza Aguilar Ortiz Castillo Chávez Ramos Núñez Peña Muñoz Ibarra Acuña Güell Zúñiga Cárdenas Ordóñez Bermúdez Piñeiro
Yáñez Avilés Quiñones
"""
_COMPOUND_ES = "de la Cruz, de León, del Río, de la Peña"


@dataclass(frozen=True)
class Person:
    first_name: str
    last_name: str
    language: str
    address: str
    phone: str


def people(count, *, seed, spanish=0.3):
    """So many different people; `spanish` is the share of those who read Spanish. The same `seed` gives the same people."""
    chance = random.Random(seed)  # noqa: S311  names, not secrets
    found = {}
    while len(found) < count:
        language = "es" if chance.random() < spanish else "en"
        first, last = _spanish_name(chance) if language == "es" else _english_name(chance)
        address = f"{_ascii(first)}.{_ascii(last)}@example.org"
        found.setdefault(address, Person(first, last, language, address, f"+181355501{chance.randrange(1, 100):02}"))
    return list(found.values())


def _english_name(chance):
    return chance.choice(_FIRST_EN.split()), chance.choice(_LAST_EN.split())


def _spanish_name(chance):
    first = chance.choice(_DOUBLE_ES.split(", ")) if chance.random() < 0.2 else chance.choice(_FIRST_ES.split())
    last = chance.choice(_COMPOUND_ES.split(", ")) if chance.random() < 0.06 else chance.choice(_LAST_ES.split())
    if chance.random() < 0.55:  # father's and mother's surname
        last = f"{last} {chance.choice(_LAST_ES.split())}"
    return first, last


def _ascii(name):
    """`Güell Muñoz` → `guellmunoz`."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in plain if char.isascii() and char.isalnum())
