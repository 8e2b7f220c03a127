"""Sentences that are not in the book: nothing of them may be translated."""

TUNING = {
    "en": """
The committee postponed its decision until further notice.
My brother keeps three rabbits behind the garage.
Where is my brother's old violin?
The train was full of football supporters yesterday.
I would never have believed such a story.
She painted the fence green last summer.
How do birds find their way in winter?
The price of copper fell again this week.
Nobody told us that the bridge was closed.
Please remember to water the tomatoes.
It was the best of times and the worst of times.
We should probably rewrite the whole module.
The cat jumped over the garden wall.
Can you explain how this engine works?
I have been reading a book about volcanoes.
The professor forgot his lecture notes again.
Two dogs were barking at the moon.
This software update breaks everything.
They moved to a village near the mountains.
His grandfather built that boat himself.
What a strange looking building that is.
The orchestra played until midnight.
I don't think the batteries are included.
Our neighbours complained about the music.
Thank the gardener for the roses.
My sister studies chemistry in Vienna.
The weather forecast promised sunshine but it snowed.
Could the defendant please rise?
He ran the marathon in under four hours.
Seventeen sailors stood on the deck.
There is a hole in the roof of the barn.
You should have seen his face.
Every morning she feeds the ducks.
The window was broken by a football.
I suppose we could try again in spring.
Turn the page and read the second paragraph.
The museum bought two paintings at the auction.
A new restaurant opened behind the cinema.
Stop pretending that you care.
The ticket inspector wore a purple hat.
Let's paint the kitchen yellow.
My computer crashed while I was saving the file.
Good soldiers follow orders.
What is the capital of Mongolia?
He speaks with a funny accent.
The doctor recommended more exercise and less salt.
Here comes the sun.
It costs nothing to be polite.
Someone has been sleeping in my bed.
Once upon a time there was a king.
""",
    "ru": """
Комитет отложил решение до следующего заседания.
Мой брат держит трёх кроликов за гаражом.
Где старая скрипка моего дедушки?
Вчера в вагоне было полно болельщиков.
Я бы никогда не поверил такой истории.
Прошлым летом она покрасила забор в зелёный цвет.
Как птицы находят дорогу зимой?
На этой неделе цена на медь снова упала.
Никто не сказал нам, что мост закрыт.
Не забудьте полить помидоры.
Нам, наверное, нужно переписать всю программу.
Кошка перепрыгнула через садовую ограду.
Объясните, как устроен этот двигатель.
Я читаю книгу о вулканах.
Профессор опять забыл свои записи.
Две собаки лаяли на луну.
Они переехали в деревню у подножия гор.
Его дед сам построил эту лодку.
Какое странное здание.
Оркестр играл до глубокой ночи.
Соседи жаловались на громкую музыку.
Моя сестра изучает химию в Вене.
Обещали солнце, а выпал снег.
Подсудимый, встаньте.
Он пробежал марафон меньше чем за четыре часа.
На палубе стояли семнадцать матросов.
В крыше сарая дыра.
Видели бы вы его лицо.
Каждое утро она кормит уток.
Окно разбили мячом.
Попробуем ещё раз весной.
Откройте учебник на второй странице.
Музей купил на аукционе две картины.
За кинотеатром открылось новое кафе.
Перестань притворяться.
На контролёре была фиолетовая шляпа.
Мой компьютер завис, пока я сохранял файл.
Столица Монголии называется Улан-Батор.
Доктор посоветовал больше двигаться и есть меньше соли.
Жил-был король, у которого было три сына.
Мороз и солнце, день чудесный.
Все счастливые семьи похожи друг на друга.
Белеет парус одинокий в тумане моря голубом.
Кто-то спал в моей кровати.
Вежливость ничего не стоит.
Поезд промчался мимо станции без остановки.
Сколько звёзд на небе?
Я хочу, чтобы ты вернулся домой.
Вокзал построили в прошлом веке.
Мне приснился удивительный сон.
""",
}

HELD_OUT = {
    "en": """
The old lighthouse was abandoned many years ago.
My uncle repairs bicycles in his free time.
Where did the children hide the treasure?
The factory produces almost nothing but screws.
I wonder whether he ever learned to swim.
How could anyone forget such a day?
She whistled while she was ironing shirts.
The minister refused to answer the journalist.
There were seven candles on the table.
We planted apple trees along the fence.
Please keep your elbows off the furniture.
The experiment failed for an unexpected reason.
He collects stamps from all over Africa.
Is there life on other planets?
The train of thought was interrupted.
I need to sharpen these pencils before the exam.
Two of the players were sent off.
My favourite colour has always been orange.
It is easier to ask forgiveness than permission.
They discovered a cave under the castle.
Can anybody reach the top shelf?
The hotel burned down in nineteen twelve.
What a pity that you missed the fireworks.
His handwriting is impossible to read.
The bus driver was singing opera.
I lost patience with the printer.
A stitch in time saves nine.
The river froze early this winter.
You never know what tomorrow brings.
Our teacher showed us how to fold a paper crane.
Do you believe in ghosts?
The soup tasted of nothing but pepper.
She told me about her journey through the desert.
Where there is smoke there is usually gossip.
The meeting room smells of fresh paint.
Let's pretend that this never happened.
The bank robbers escaped through a tunnel.
Nothing is more boring than waiting for the postman.
My phone number has too many digits to remember.
Turn your back and count to a hundred.
The library cat sleeps on the dictionary.
Who let the dogs out?
Call me Ishmael.
To be or not to be, that is the question.
The wind tore the sails to pieces.
I can hear the grass growing.
How much wood would a woodchuck chuck?
Every child knows this riddle.
He cut the cake into eleven unequal slices.
The quick brown fox jumps over the lazy dog.
""",
    "ru": """
Старый маяк давно заброшен.
Мой дядя в свободное время чинит велосипеды.
Куда дети спрятали сокровище?
Фабрика выпускает почти одни гвозди.
Интересно, научился ли он плавать.
Как можно было забыть такой день?
Она насвистывала, когда гладила рубашки.
Министр отказался отвечать журналисту.
На столе горело семь свечей.
Мы посадили яблони вдоль забора.
Опыт не удался по неожиданной причине.
Он собирает марки со всей Африки.
Есть ли жизнь на других планетах?
Мне надо заточить карандаши перед экзаменом.
Двух игроков удалили с поля.
Мой любимый цвет всегда был оранжевым.
Под замком нашли пещеру.
Кто достанет до верхней полки?
Гостиница сгорела ещё до войны.
Как жаль, что вы не видели салют.
Его почерк невозможно разобрать.
Водитель автобуса пел оперу.
У меня кончилось терпение.
Река в этом году замёрзла рано.
Никогда не знаешь, что принесёт завтрашний день.
Учитель показал нам, как сложить журавлика.
Вы верите в привидения?
У супа был вкус перца и больше ничего.
Она рассказала о путешествии через пустыню.
Дыма без огня не бывает.
В комнате для собраний пахнет краской.
Давайте представим, что этого не было.
Грабители сбежали из банка через подземный ход.
Нет ничего скучнее, чем ждать почтальона.
Повернитесь спиной и сосчитайте до ста.
Библиотечный кот спит на словаре.
Быть или не быть, вот в чём вопрос.
Ветер разорвал паруса.
Слышно, как растёт трава.
Каждый ребёнок знает эту загадку.
Он разрезал торт на одиннадцать неравных кусков.
У лукоморья дуб зелёный, златая цепь на дубе том.
Мой дядя самых честных правил.
Тише едешь, дальше будешь.
Семь раз отмерь, один раз отрежь.
Где моя старая синяя кепка?
Сколько верёвочке ни виться, конец будет.
Я потерял нить разговора.
Мы ехали всю ночь по пустой дороге.
На холме стояла деревянная мельница.
""",
}

ELSEWHERE = {
    "de": "Der alte Leuchtturm steht seit Jahren leer.|Gestern hat es den ganzen Tag geregnet.|"
    "Wo haben die Kinder den Schatz versteckt?|Meine Tante züchtet Schafe.|Guten Morgen zusammen.",
    "fr": "Le vieux phare est abandonné depuis longtemps.|Hier il a plu toute la journée.|"
    "Où les enfants ont-ils caché le trésor?|Ma tante élève des moutons.|Bonjour à tous.",
    "es": "El viejo faro está abandonado desde hace años.|Ayer llovió todo el día.|"
    "¿Dónde escondieron los niños el tesoro?|Mi tía cría ovejas.|Buenos días a todos.",
    "it": "Il vecchio faro è abbandonato da anni.|Ieri ha piovuto tutto il giorno.|"
    "Dove hanno nascosto il tesoro i bambini?|Mia zia alleva pecore.|Buongiorno a tutti.",
    "pl": "Stara latarnia morska stoi pusta od lat.|Wczoraj padało przez cały dzień.|"
    "Gdzie dzieci ukryły skarb?|Moja ciotka hoduje owce.|Dzień dobry wszystkim.",
    "tr": "Eski deniz feneri yıllardır boş.|Dün bütün gün yağmur yağdı.|"
    "Çocuklar hazineyi nereye sakladı?|Teyzem koyun yetiştiriyor.|Herkese günaydın.",
}

ELSEWHERE_TUNING = 2
"""Number of them that are for tuning; the others are for judging."""


def sentences(text: str) -> list[str]:
    """Return the sentences, one a line."""
    return [line for line in text.splitlines() if line]
