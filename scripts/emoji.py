"""The emoji of the samples: which are drawn, and what they are called."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Emoji:
    """A code point and its CLDR short name."""

    code: int
    text: str

    @property
    def slug(self) -> str:
        """The name as icon sets and file names write it."""
        return self.text.lower().replace(" ", "-")


# The first category id of each of GPR1200's six subsets -> what fills it.
CATEGORIES = {
    0: {  # Landmarks: buildings and places
        0x1F3E0: "house",
        0x1F3E2: "office building",
        0x1F3E5: "hospital",
        0x1F3ED: "factory",
        0x1F3F0: "castle",
        0x1F3EF: "Japanese castle",
        0x26EA: "church",
        0x1F3DF: "stadium",
        0x1F3DB: "classical building",
        0x1F5FC: "Tokyo tower",
        0x1F5FD: "Statue of Liberty",
        0x1F3A1: "ferris wheel",
    },
    200: {  # iNat: animals and plants
        0x1F418: "elephant",
        0x1F42A: "camel",
        0x1F413: "rooster",
        0x1F427: "penguin",
        0x1F438: "frog",
        0x1F422: "turtle",
        0x1F419: "octopus",
        0x1F41E: "lady beetle",
        0x1F40C: "snail",
        0x1F335: "cactus",
        0x1F33B: "sunflower",
        0x1F344: "mushroom",
    },
    400: {  # ImageNet-Sketch: everyday objects
        0x2702: "scissors",
        0x1F528: "hammer",
        0x1F511: "key",
        0x1F4A1: "light bulb",
        0x1F56F: "candle",
        0x23F0: "alarm clock",
        0x260E: "telephone",
        0x1F4FA: "television",
        0x1F4F7: "camera",
        0x1F52C: "microscope",
        0x1F514: "bell",
        0x2693: "anchor",
    },
    600: {  # INSTRE: instruments and vehicles
        0x1F3B8: "guitar",
        0x1F3BB: "violin",
        0x1F3BA: "trumpet",
        0x1F3B7: "saxophone",
        0x1F3B9: "musical keyboard",
        0x1F68C: "bus",
        0x1F692: "fire engine",
        0x1F6B2: "bicycle",
        0x26F5: "sailboat",
        0x1F681: "helicopter",
        0x1F680: "rocket",
        0x1F69C: "tractor",
    },
    800: {  # SOP: clothing and household products
        0x1F576: "sunglasses",
        0x1F455: "T-shirt",
        0x1F456: "jeans",
        0x1F457: "dress",
        0x1F45C: "handbag",
        0x1F392: "backpack",
        0x1F45F: "running shoe",
        0x1F460: "high-heeled shoe",
        0x1F3A9: "top hat",
        0x1F6CF: "bed",
        0x1F6CB: "couch and lamp",
        0x1F6C1: "bathtub",
    },
    1000: {  # Faces: people and smileys
        0x1F476: "baby",
        0x1F468: "man",
        0x1F475: "old woman",
        0x1F46E: "police officer",
        0x1F477: "construction worker",
        0x1F482: "guard",
        0x1F478: "princess",
        0x1F385: "Santa Claus",
        0x1F602: "face with tears of joy",
        0x1F60E: "smiling face with sunglasses",
        0x1F62D: "loudly crying face",
        0x1F634: "sleeping face",
    },
}
FOOD = {
    "fruit": {
        0x1F347: "grapes",
        0x1F349: "watermelon",
        0x1F34A: "tangerine",
        0x1F34B: "lemon",
        0x1F34C: "banana",
        0x1F34D: "pineapple",
        0x1F34E: "red apple",
        0x1F350: "pear",
        0x1F351: "peach",
        0x1F352: "cherries",
        0x1F353: "strawberry",
        0x1F95D: "kiwi fruit",
        0x1F965: "coconut",
    },
    "vegetable": {
        0x1F330: "chestnut",
        0x1F336: "hot pepper",
        0x1F33D: "ear of corn",
        0x1F346: "eggplant",
        0x1F951: "avocado",
        0x1F952: "cucumber",
        0x1F954: "potato",
        0x1F955: "carrot",
        0x1F966: "broccoli",
        0x1F9C4: "garlic",
        0x1F9C5: "onion",
        0x1FAD1: "bell pepper",
        0x1FADB: "pea pod",
    },
    "prepared": {
        0x1F32D: "hot dog",
        0x1F32E: "taco",
        0x1F354: "hamburger",
        0x1F355: "pizza",
        0x1F357: "poultry leg",
        0x1F35E: "bread",
        0x1F35F: "french fries",
        0x1F373: "cooking",
        0x1F37F: "popcorn",
        0x1F950: "croissant",
        0x1F957: "green salad",
        0x1F968: "pretzel",
        0x1F96A: "sandwich",
    },
    "sweet": {
        0x1F366: "soft ice cream",
        0x1F367: "shaved ice",
        0x1F368: "ice cream",
        0x1F369: "doughnut",
        0x1F36A: "cookie",
        0x1F36B: "chocolate bar",
        0x1F36C: "candy",
        0x1F36D: "lollipop",
        0x1F36E: "custard",
        0x1F370: "shortcake",
        0x1F382: "birthday cake",
        0x1F967: "pie",
        0x1F9C1: "cupcake",
    },
    "drink": {
        0x2615: "hot beverage",
        0x1F375: "teacup without handle",
        0x1F376: "sake",
        0x1F377: "wine glass",
        0x1F378: "cocktail glass",
        0x1F379: "tropical drink",
        0x1F37A: "beer mug",
        0x1F37E: "bottle with popping cork",
        0x1F943: "tumbler glass",
        0x1F95B: "glass of milk",
        0x1F964: "cup with straw",
        0x1F9C3: "beverage box",
        0x1F9CB: "bubble tea",
    },
}
# The place of a code point in its kind -> its split; every other place is for training.
SPLITS = {2: "val", 5: "test", 8: "val", 11: "test"}


def category_texts() -> dict[int, Emoji]:
    """Number the categories: each subset's emoji count up from its first id."""
    return {
        first + place: Emoji(code, text)
        for first, members in CATEGORIES.items()
        for place, (code, text) in enumerate(members.items())
    }
