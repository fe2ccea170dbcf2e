"""What the seminars are about. Each talk may be held several times, in either language."""

BRING = {
    "en": "A list of your medicines, your questions on paper, and a pillow if sitting is hard. Bring someone along if you can.",
    "es": "Una lista de sus medicamentos, sus preguntas por escrito y un cojín si le cuesta sentarse. Si puede, venga con alguien.",
}
BRING_ONLINE = {
    "en": "Something to write with, and a comfortable place where you can stand up or lie down. Your camera may stay off.",
    "es": "Con qué escribir y un lugar cómodo donde pueda pararse o recostarse. Puede dejar apagada la cámara.",
}

TALKS = {
    "back-pain-answers": {
        "en": {
            "title": "Back pain: what helps, and what can wait",
            "summary": "Where back pain comes from, what usually helps first, and how to tell when it is time to talk about more.",
            "description": (
                "Back pain wears people down, and advice is everywhere. In this hour a physician sorts it with you: what is worth trying at home, "
                "what a physical therapist can do, what injections are for, and in which few cases surgery comes into question.\n\n"
                "You will see what a healthy spine looks like and what years of use do to it, and you will learn which warning signs should not wait.\n\n"
                "About forty minutes of talk, then all the time your questions need. Nothing is for sale, and nobody will ask you to decide anything. "
                "We can’t examine you or read your pictures here, but we can help you find the right questions for your own doctor."
            ),
        },
        "es": {
            "title": "Dolor de espalda: qué ayuda y qué puede esperar",
            "summary": "De dónde viene el dolor de espalda, qué suele ayudar primero y cómo saber cuándo conviene hablar de algo más.",
            "description": (
                "El dolor de espalda agota, y consejos sobran. En esta hora, un médico los pone en orden con usted: qué vale la pena probar en casa, "
                "qué puede hacer un terapeuta físico, para qué sirven las inyecciones y en qué pocos casos se piensa en una cirugía.\n\n"
                "Verá cómo es una columna sana y qué le hacen los años de uso, y aprenderá qué señales de alerta no deben esperar.\n\n"
                "Son unos cuarenta minutos de charla y después todo el tiempo que sus preguntas necesiten. No se vende nada y nadie le pedirá que decida "
                "nada. Aquí no podemos hacerle un examen ni leer sus imágenes, pero sí ayudarle a encontrar las preguntas para su propio médico."
            ),
        },
    },
    "less-invasive-procedures": {
        "en": {
            "title": "Less invasive spine procedures: what to expect",
            "summary": "What “less invasive” means, whom it may suit and whom not, and what the first weeks are usually like.",
            "description": (
                "Some spine operations can be done through an opening of an inch or less. That often means less soreness and a shorter stay. "
                "It does not mean that surgery is right for everyone, and it is never without risk.\n\n"
                "A surgeon shows, with a model and without gory pictures, how these procedures are done, who may be a good match, what can go wrong, "
                "and how people find their way back to walking, driving, and work.\n\n"
                "Bring your doubts. They are welcome here. A second opinion is, too."
            ),
        },
        "es": {
            "title": "Procedimientos de columna menos invasivos: qué esperar",
            "summary": "Qué quiere decir «menos invasivo», a quién le puede convenir y a quién no, y cómo suelen ser las primeras semanas.",
            "description": (
                "Algunas operaciones de columna se pueden hacer por una abertura de una pulgada o menos. Eso muchas veces significa menos dolor y una "
                "estadía más corta. No significa que la cirugía le convenga a todo el mundo, y nunca está libre de riesgos.\n\n"
                "Un cirujano muestra, con un modelo y sin imágenes que impresionen, cómo se hacen, para quién pueden ser una buena opción, "
                "qué puede salir mal y cómo se vuelve poco a poco a caminar, manejar y trabajar.\n\n"
                "Traiga sus dudas. Aquí son bienvenidas, y una segunda opinión también."
            ),
        },
    },
    "sciatica": {
        "en": {
            "title": "When the leg hurts, but it comes from the back",
            "summary": "Sciatica in plain words: why it burns down the leg, how it usually settles, and when not to wait.",
            "description": (
                "A burning line from the hip to the foot, a numb toe, a leg that gives way on the stairs: sciatica has many faces. "
                "In most people it calms down within some weeks. But those weeks are long, and it helps to know what is going on.\n\n"
                "You will learn which nerve does what, how to sit, walk, and sleep meanwhile, what medicine and injections can and can’t do, "
                "and for whom a small operation is worth thinking about.\n\n"
                "Standing up and walking around during the talk is perfectly fine. Half the room usually does."
            ),
        },
        "es": {
            "title": "Cuando duele la pierna, pero viene de la espalda",
            "summary": "La ciática en palabras sencillas: por qué quema por la pierna, cómo suele calmarse y cuándo no hay que esperar.",
            "description": (
                "Una línea que quema de la cadera al pie, un dedo dormido, una pierna que falla en la escalera: la ciática tiene muchas caras. "
                "En la mayoría de las personas se calma en unas semanas. Pero esas semanas son largas, y ayuda saber qué está pasando.\n\n"
                "Aprenderá qué hace cada nervio, cómo sentarse, caminar y dormir mientras tanto, qué pueden y qué no pueden lograr las medicinas "
                "y las inyecciones, y para quién vale la pena pensar en una operación pequeña.\n\n"
                "Durante la charla puede pararse y caminar con toda confianza. Casi siempre lo hace la mitad de la sala."
            ),
        },
    },
    "neck-and-hands": {
        "en": {
            "title": "Neck pain and tingling hands",
            "summary": "Why a stiff neck can reach the fingers, what to do about it at home and at work, and which signs to take seriously.",
            "description": (
                "A neck that creaks, an ache between the shoulder blades, fingers that fall asleep at night. Often it is tired muscles and a bad chair. "
                "Sometimes a nerve in the neck is short of room.\n\n"
                "A physician shows how to tell these apart, what a few minutes of the right exercise can do, how to set up a desk or a kitchen table, "
                "and when pictures, injections, or surgery come into question.\n\n"
                "If your hands are getting clumsy or your walk unsteady, please don’t wait for the seminar. Call your doctor, or call us."
            ),
        },
        "es": {
            "title": "Dolor de cuello y hormigueo en las manos",
            "summary": "Por qué un cuello rígido puede llegar hasta los dedos, qué hacer en casa y en el trabajo, y qué señales tomar en serio.",
            "description": (
                "Un cuello que cruje, un dolor entre los omóplatos, dedos que se duermen por la noche. Muchas veces son músculos cansados y una mala silla. "
                "A veces, a un nervio del cuello le falta espacio.\n\n"
                "Un médico muestra cómo distinguirlo, qué pueden lograr unos minutos del ejercicio correcto, cómo acomodar un escritorio o la mesa "
                "de la cocina y cuándo se piensa en imágenes, inyecciones o cirugía.\n\n"
                "Si sus manos se están volviendo torpes o su paso inseguro, no espere al seminario. Llame a su médico, o llámenos."
            ),
        },
    },
    "spinal-stenosis": {
        "en": {
            "title": "Spinal stenosis: when walking gets shorter",
            "summary": "Why legs grow heavy after a few blocks, why leaning on the shopping cart helps, and what can be done at any age.",
            "description": (
                "First it was a mile, then the supermarket, now the mailbox. Many people over sixty know this, and many think it is simply age. "
                "Often it is a narrow place in the spine, and there is something to be done about it.\n\n"
                "We talk about exercises that suit a narrow spine, about medicines and injections, and about operations that make room: what they can do, "
                "what they can’t, and how people in their seventies and eighties recover from them.\n\n"
                "Chairs with armrests are reserved for you. Husbands, wives, and children are very welcome."
            ),
        },
        "es": {
            "title": "Canal estrecho: cuando cada vez se camina menos",
            "summary": "Por qué las piernas pesan a las pocas cuadras, por qué alivia apoyarse en el carrito del mercado y qué se puede hacer a cualquier edad.",
            "description": (
                "Primero era una milla, luego el supermercado, ahora el buzón. Muchas personas de más de sesenta años lo conocen, y muchas piensan que "
                "es solo la edad. A menudo es un lugar estrecho en la columna, y algo se puede hacer.\n\n"
                "Hablamos de ejercicios adecuados para una columna estrecha, de medicinas e inyecciones, y de operaciones que hacen espacio: qué pueden lograr, "
                "qué no, y cómo se recuperan las personas de setenta y ochenta años.\n\n"
                "Le reservamos una silla con descansabrazos. Esposos, esposas, hijos e hijas son muy bienvenidos."
            ),
        },
    },
    "recovering-well": {
        "en": {
            "title": "Recovering well: strength and stamina after spine surgery",
            "summary": "What physical therapy does after surgery, how much of it people usually need, and how to begin with small steps.",
            "description": (
                "The operation is one day. Recovering is the weeks after it. A rehabilitation physician explains what physical therapy does for strength, "
                "stamina, and scar tissue, why less invasive procedures usually need less of it, and why walking is the best exercise most people never count.\n\n"
                "You will see simple ways to get out of bed, sit down, and tie your shoes, and hear what a family can do at home.\n\n"
                "This seminar is online. You need a phone, a tablet, or a computer, and nothing to install. Ask by voice or in writing, as you like."
            ),
        },
        "es": {
            "title": "Recuperarse bien: fuerza y resistencia después de una cirugía de columna",
            "summary": "Qué hace la terapia física después de la cirugía, cuánta suele hacer falta y cómo empezar con pasos pequeños.",
            "description": (
                "La operación es cosa de un día; la recuperación, de varias semanas. Un médico de rehabilitación explica cómo ayuda la terapia física "
                "a recuperar fuerza y resistencia y a cuidar la cicatriz, por qué los procedimientos menos invasivos suelen necesitar menos, y por qué "
                "caminar es el mejor ejercicio, aunque casi nadie lo tome en cuenta.\n\n"
                "Verá maneras sencillas de levantarse de la cama, sentarse y amarrarse los zapatos, y escuchará qué puede hacer la familia en casa.\n\n"
                "Este seminario es en línea. Necesita un teléfono, una tableta o una computadora, y no hay que instalar nada. Pregunte hablando "
                "o por escrito, como prefiera."
            ),
        },
    },
}
