"""Made-up venues in real cities. Coordinates are those of the ZIP code."""

VENUES = {
    "tampa": {
        "facts": {
            "name": "Harborlight Learning Room",
            "street": "2210 Sample Pier Avenue, 2nd Floor",
            "city": "Tampa",
            "state": "FL",
            "postal_code": "33602",
            "zone": "America/New_York",
            "latitude": 27.9614,
            "longitude": -82.4597,
        },
        "en": {
            "parking": "Free in the garage right below us; take a ticket and we stamp it. Six wide spaces by the elevator on level 1.",
            "access": (
                "Step-free from the street and the garage; elevator to the 2nd floor, then 60 feet. Bus stop “Pier Avenue” across the street. "
                "Firm chairs with armrests, and room to stand or walk at the back. Restrooms next door, one of them wide."
            ),
        },
        "es": {
            "parking": "Gratis en el estacionamiento del edificio; tome un boleto y se lo sellamos. Hay seis lugares amplios junto al elevador, nivel 1.",
            "access": (
                "Sin escalones desde la calle y el estacionamiento; elevador al segundo piso y 20 metros más. Parada «Pier Avenue» enfrente. "
                "Sillas firmes con descansabrazos y espacio para estar de pie o caminar atrás. Baños al lado, uno de ellos amplio."
            ),
        },
    },
    "orlando": {
        "facts": {
            "name": "Lake Lumen Community Hall",
            "street": "418 Lantern Oak Street",
            "city": "Orlando",
            "state": "FL",
            "postal_code": "32801",
            "zone": "America/New_York",
            "latitude": 28.5399,
            "longitude": -81.3727,
        },
        "en": {
            "parking": "Free behind the hall, entrance on Lantern Oak Street. Four marked spaces are 30 feet from the door.",
            "access": (
                "Everything is on one floor, doors open by themselves. Bus stop “Lake Lumen” is a two-minute walk on flat ground. "
                "Chairs with armrests and high backs; cushions if you want one. You may stand up whenever you like."
            ),
        },
        "es": {
            "parking": "Gratis detrás del salón; se entra por Lantern Oak Street. Cuatro lugares reservados quedan a diez metros de la puerta.",
            "access": (
                "Todo está en una sola planta y las puertas se abren solas. La parada de autobús «Lake Lumen» queda a dos minutos, sin cuestas. "
                "Sillas con descansabrazos y respaldo alto; hay cojines si quiere uno. Puede ponerse de pie cuando guste."
            ),
        },
    },
    "atlanta": {
        "facts": {
            "name": "Peachwood Branch Library, Meeting Room B",
            "street": "1350 Quiet Orchard Road NE",
            "city": "Atlanta",
            "state": "GA",
            "postal_code": "30309",
            "zone": "America/New_York",
            "latitude": 33.7984,
            "longitude": -84.3883,
        },
        "en": {
            "parking": "Free in the library’s lot for three hours. If it is full, the church next door lets our guests park there.",
            "access": (
                "Ramp with a handrail to the left of the steps; the meeting room is on the ground floor. The train station is 0.4 mile away, "
                "and the bus stops at the door. Padded chairs, half of them with armrests. A hearing loop is fitted."
            ),
        },
        "es": {
            "parking": "Gratis por tres horas en el estacionamiento de la biblioteca. Si está lleno, la iglesia de al lado recibe a nuestros invitados.",
            "access": (
                "Rampa con pasamanos a la izquierda de los escalones; la sala está en la planta baja. La estación de tren queda a menos de media milla, "
                "y el autobús para en la puerta. Sillas acolchadas, la mitad con descansabrazos. Hay bucle de inducción para audífonos."
            ),
        },
    },
    "houston": {
        "facts": {
            "name": "Bayou Lantern Conference Center, Magnolia Room",
            "street": "7702 Invented Bend Drive",
            "city": "Houston",
            "state": "TX",
            "postal_code": "77030",
            "zone": "America/Chicago",
            "latitude": 29.7041,
            "longitude": -95.401,
        },
        "en": {
            "parking": "Garage C. We pay for it: bring your ticket to our table. Ask for the shuttle cart if the walk is too long.",
            "access": (
                "Step-free from Garage C by a covered walkway, about 300 feet, with two benches on the way. Light rail stop “Bayou Bend” at the corner. "
                "Wide chairs with armrests, and two recliners for those who can’t sit long."
            ),
        },
        "es": {
            "parking": "Garaje C. Nosotros lo pagamos: traiga su boleto a nuestra mesa. Si el trayecto es largo para usted, pida el carrito.",
            "access": (
                "Sin escalones desde el garaje C por un pasillo techado de unos 300 pies, con dos bancas. Tren ligero «Bayou Bend» en la esquina. "
                "Sillas anchas con descansabrazos y dos sillones reclinables para quien no aguanta mucho tiempo sentado."
            ),
        },
    },
    "el-paso": {
        "facts": {
            "name": "Centro Mesa Clara",
            "street": "905 Calle Imaginaria",
            "city": "El Paso",
            "state": "TX",
            "postal_code": "79902",
            "zone": "America/Denver",
            "latitude": 31.7763,
            "longitude": -106.4932,
        },
        "en": {
            "parking": "Free on the street and in the lot across from the entrance. On Saturdays there is always room.",
            "access": (
                "One low step at the front; the side door on the patio has none, and somebody waits there to open it. Bus stop “Mesa Clara” 150 feet away. "
                "Wooden chairs with cushions and armrests. Coffee, water, and a place to lie down for a few minutes."
            ),
        },
        "es": {
            "parking": "Gratis en la calle y en el lote frente a la entrada. Los sábados siempre hay lugar.",
            "access": (
                "Un escalón bajo al frente; la puerta lateral del patio no tiene, y ahí hay alguien que le abre. Parada «Mesa Clara» a 150 pies. "
                "Sillas de madera con cojín y descansabrazos. Hay café, agua y un lugar para recostarse unos minutos."
            ),
        },
    },
}
