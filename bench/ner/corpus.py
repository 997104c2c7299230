"""Writes a small corpus of names in sentences, train.conll and dev.conll (BIO), made by rules from a seed: python3 corpus.py FOLDER

Half of the development set's names are in no training sentence, and words are names in one sentence and none in another ("May", "Hope", "Bath"), or a
person's name here and a place's there ("Washington", "Florence", "Jordan"): a list of the training names finds less than a reader does."""
import random
import sys

GIVEN = ("Anna Bruno Clara David Elena Felix Grace Hugo Irene Jonas Karin Leo Maria Nils Olga Paul Quinn Rosa Simon Tara Ugo Vera Walter Xenia Yusuf Zoe "
         "May Hope Florence Jordan Charlotte Austin Rose Mark Will Victoria Sydney Dallas Chelsea Lincoln").split()
FAMILY = ("Abel Becker Costa Duarte Ernst Fischer Garcia Haddad Ivanov Jansen Kowalski Larsen Moreau Novak Okafor Petrov Quist Rossi Schmidt Tanaka Ueda Vogel "
          "Weber Xu Yilmaz Zimmer Washington London Paris Wells Lake Woods Bath Stone Berlin Hamilton").split()
PLACES = ("Lisbon Oslo Cairo Lima Kyoto Dublin Vienna Prague Riga Tunis Accra Quito Hanoi Seoul Delhi Perth Leeds Turin Basel Graz Porto Malmo Gdansk Izmir Sofia "
          "Washington London Paris Florence Jordan Victoria Bath Reading Nice Sydney Dallas Austin Lincoln Hamilton Berlin Chelsea").split()
FIRMS = "Orion Helix Nordlicht Vertex Cobalt Meridian Solaris Quanta Aurora Zenith Falcon Atlas Delta Polar Apex".split()
ENDINGS = ["Ltd", "Bank", "Systems", "& Sons", "Group", "Motors", "Press", "Airlines"]

FRAMES = [
    "{P} was born in {L} .", "{P} moved from {L} to {L} last year .", "{O} has opened an office in {L} .", "{P} works for {O} .", "In {L} , {P} met {P} .",
    "The mayor of {L} praised {O} .", "{O} and {O} will merge , {P} said .", "It rained in {L} all day .", "{P} , who left {O} , lives near {L} .", "A spokesman of {O} declined to answer .",
    "Flights to {L} were cancelled .", "Last night {P} scored twice .", "{L} is older than {L} .", "The letter is addressed to {P} .", "Shares of {O} rose in {L} .",
    "\" I like {L} , \" said {P} .", "{P} bought {O} for an unknown sum .", "The train from {L} was late .", "Nobody at {O} knew {P} .", "Mrs {F} thanked Mr {F} .",
    "We may hope for a nice stone bath .", "She was reading by the lake in the woods .", "In May the rose will bloom .", "The bank group left a mark .", "There is no hope for the press .",
    "Wells were dug last May .", "His motors and systems failed in April .", "The atlas lay near the delta .", "Will it rain in May ?", "They will press on , I hope .",
]


def sentence(rng, names):
    words = []
    for part in rng.choice(FRAMES).split():
        if part == "{P}":
            name, kind = [rng.choice(names["given"])] + ([rng.choice(names["family"])] if rng.random() < 0.6 else []), "PER"
        elif part == "{F}":
            name, kind = [rng.choice(names["family"])], "PER"
        elif part == "{L}":
            name, kind = [rng.choice(names["places"])], "LOC"
        elif part == "{O}":
            name, kind = [rng.choice(names["firms"])] + rng.choice(ENDINGS).split(), "ORG"
        else:
            words.append((part, "O"))
            continue
        words += [(word, ("B-" if i == 0 else "I-") + kind) for i, word in enumerate(name)]
    return words


def main(folder):
    rng = random.Random(1)
    lists = {"given": GIVEN, "family": FAMILY, "places": PLACES, "firms": FIRMS}
    known, new = {}, {}
    for key, names in lists.items():
        names = sorted(set(names))
        rng.shuffle(names)
        known[key], new[key] = names[: len(names) * 2 // 3], names[len(names) * 2 // 3 :]
    half = {key: known[key][: len(new[key])] + new[key] for key in lists}
    for name, count, names in (("train", 600, known), ("dev", 300, half)):
        with open(f"{folder}/{name}.conll", "w", encoding="utf-8") as out:
            for _ in range(count):
                out.write("".join(f"{word} {tag}\n" for word, tag in sentence(rng, names)) + "\n")


main(sys.argv[1])
