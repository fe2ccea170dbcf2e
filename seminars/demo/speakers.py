"""Made-up physicians."""

SPEAKERS = {
    "ibanez": {
        "name": "Rafael Ibáñez",
        "credentials": "MD, FAANS",
        "en": (
            "Dr. Ibáñez is a neurosurgeon who has treated backs and necks for twenty-one years. He grew up in Ybor City, where his grandmother "
            "taught him that a patient who understands is half as afraid. He speaks English and Spanish, draws everything on paper, and says no "
            "to surgery more often than yes."
        ),
        "es": (
            "El Dr. Ibáñez es neurocirujano y lleva veintiún años atendiendo espaldas y cuellos. Creció en Ybor City, donde su abuela le enseñó "
            "que un paciente que entiende tiene la mitad del miedo. Habla español e inglés, lo dibuja todo en papel y dice que no a la cirugía "
            "más veces que sí."
        ),
    },
    "okafor": {
        "name": "Naomi Okafor",
        "credentials": "MD",
        "en": (
            "Dr. Okafor is an orthopedic surgeon who works mostly through small openings. Before medicine she was an engineer, and she still "
            "explains a spine the way one explains a bridge. On weekends she runs slowly and gardens badly."
        ),
        "es": (
            "La Dra. Okafor es cirujana ortopédica y opera sobre todo con incisiones pequeñas. Antes de la medicina fue ingeniera, y todavía "
            "explica la columna como quien explica un puente. Los fines de semana corre despacio y cuida un jardín con poca suerte."
        ),
    },
    "whitcomb": {
        "name": "Daniel Whitcomb",
        "credentials": "DO, FAAPMR",
        "en": (
            "Dr. Whitcomb is a physician for rehabilitation. He helps people get back to stairs, gardens, and grandchildren, with and without "
            "surgery. After an injury of his own he knows what the first week of exercises feels like."
        ),
        "es": (
            "El Dr. Whitcomb es médico de rehabilitación. Ayuda a las personas a volver a las escaleras, al jardín y a los nietos, con cirugía "
            "o sin ella. Después de una lesión propia, sabe cómo se siente la primera semana de ejercicios."
        ),
    },
    "ferrer": {
        "name": "Lucía Ferrer",
        "credentials": "MD, PhD",
        "en": (
            "Dr. Ferrer is a spine surgeon and teaches residents how to listen first. Born in Chihuahua, she sees patients in El Paso and Houston, "
            "in Spanish and English. Her research is about how people over seventy recover from spine procedures."
        ),
        "es": (
            "La Dra. Ferrer es cirujana de columna y enseña a los residentes a escuchar primero. Nació en Chihuahua y atiende en El Paso y en Houston, "
            "en español y en inglés. Investiga cómo se recuperan de los procedimientos de columna las personas mayores de setenta años."
        ),
    },
}
