"""The starting catalogue: Indian goods at shop prices in paise, GST included.

GST rates are those in force since 22 September 2025 (0, 5 and 18 percent; clothes and footwear up to 2,500 rupees a
piece at 5, above at 18). HSN codes are those of the customs tariff to six digits.
"""

from typing import NamedTuple


class Item(NamedTuple):
    """A product and how many pieces of it the shop starts with."""

    sku: str
    name: str
    category: str
    unit: str
    price_paise: int
    gst_rate: int
    hsn: str
    on_hand: int
    description: str


# fmt: off
CATALOGUE = (
    Item(
        "BASMATI-5KG", "Aged Basmati Rice", "Grocery", "5 kg bag",
        74_900, 5, "100630", 240, "Long-grain rice from the foothills of the Himalaya, aged for two years.",
    ),
    Item(
        "TOOR-DAL-1KG", "Toor Dal", "Grocery", "1 kg pack",
        18_900, 5, "071360", 400, "Split pigeon peas for everyday dal and sambar.",
    ),
    Item(
        "ATTA-10KG", "Sharbati Whole Wheat Atta", "Grocery", "10 kg bag",
        52_900, 5, "110100", 180, "Stone-ground wheat from Sehore, for soft rotis.",
    ),
    Item(
        "MUSTARD-OIL-1L", "Kachi Ghani Mustard Oil", "Grocery", "1 litre bottle",
        21_900, 5, "151499", 300, "Cold-pressed in a wooden ghani; sharp and golden.",
    ),
    Item(
        "DESI-GHEE-1L", "Desi Cow Ghee", "Grocery", "1 litre jar",
        69_900, 5, "040590", 150, "Bilona ghee churned from cultured butter.",
    ),
    Item(
        "JAGGERY-1KG", "Kolhapuri Jaggery", "Grocery", "1 kg block",
        12_900, 5, "170114", 220, "Unrefined cane sugar without chemicals.",
    ),
    Item(
        "CASHEW-500G", "Goa Cashew Nuts W240", "Grocery", "500 g pack",
        62_900, 5, "080132", 120, "Whole white cashews, roasted without salt.",
    ),
    Item(
        "MASALA-CHAI-500G", "Assam Masala Chai", "Tea and spices", "500 g pack",
        34_900, 5, "090230", 260, "Strong CTC tea with ginger, cardamom, clove and cinnamon.",
    ),
    Item(
        "FILTER-COFFEE-500G", "Chikmagalur Filter Coffee", "Tea and spices", "500 g pack",
        42_900, 5, "090121", 160, "Roasted Arabica and Peaberry, ground for the brass filter.",
    ),
    Item(
        "TURMERIC-200G", "Lakadong Turmeric Powder", "Tea and spices", "200 g jar",
        24_900, 5, "091030", 210, "Deep yellow haldi from the Jaintia hills of Meghalaya.",
    ),
    Item(
        "GARAM-MASALA-100G", "Garam Masala", "Tea and spices", "100 g tin",
        14_900, 5, "091091", 280, "Twelve whole spices, roasted and ground in small batches.",
    ),
    Item(
        "KASHMIRI-CHILLI-200G", "Kashmiri Chilli Powder", "Tea and spices", "200 g pack",
        19_900, 5, "090422", 230, "Mild heat and a deep red colour.",
    ),
    Item(
        "PAPAD-400G", "Bikaneri Moong Papad", "Snacks and sweets", "400 g pack",
        16_900, 0, "190590", 190, "Sun-dried lentil papad with black pepper.",
    ),
    Item(
        "BHUJIA-1KG", "Bikaneri Bhujia", "Snacks and sweets", "1 kg pack",
        28_900, 5, "210690", 170, "Crisp moth-bean noodles, the snack of Bikaner.",
    ),
    Item(
        "MANGO-PICKLE-500G", "Andhra Avakaya Mango Pickle", "Snacks and sweets", "500 g jar",
        22_900, 5, "200190", 140, "Raw mango in mustard and sesame oil.",
    ),
    Item(
        "KAJU-KATLI-500G", "Kaju Katli", "Snacks and sweets", "500 g box",
        57_900, 5, "210690", 90, "Cashew fudge with silver leaf, made fresh.",
    ),
    Item(
        "KANJIVARAM-BRIDAL", "Kanjivaram Bridal Silk Saree", "Clothing", "6.3 m with blouse piece",
        5_850_000, 5, "500720", 5, "Handwoven mulberry silk with pure zari, from Kanchipuram.",
    ),
    Item(
        "BANARASI-SAREE", "Banarasi Katan Silk Saree", "Clothing", "6.3 m with blouse piece",
        1_499_900, 5, "500720", 18, "Handwoven in Varanasi with kadhwa motifs.",
    ),
    Item(
        "KHADI-KURTA-M", "Khadi Cotton Kurta", "Clothing", "1 piece, size M",
        129_900, 5, "620520", 75, "Hand-spun, hand-woven, for hot afternoons.",
    ),
    Item(
        "PASHMINA-SHAWL", "Kashmiri Pashmina Shawl", "Clothing", "200 x 100 cm",
        899_900, 18, "621420", 22, "Hand-embroidered sozni work on fine pashmina wool.",
    ),
    Item(
        "KOLHAPURI-CHAPPAL-8", "Kolhapuri Chappals", "Clothing", "1 pair, size 8",
        149_900, 5, "640320", 60, "Vegetable-tanned leather, stitched by hand.",
    ),
    Item(
        "STEEL-TIFFIN-3", "Three-tier Steel Tiffin", "Home and kitchen", "1 piece",
        89_900, 5, "732393", 110, "Stainless steel lunch carrier with a lock.",
    ),
    Item(
        "COPPER-BOTTLE-1L", "Copper Water Bottle", "Home and kitchen", "1 litre",
        99_900, 5, "741810", 95, "Pure copper, without a joint, from Moradabad.",
    ),
    Item(
        "PRESSURE-COOKER-5L", "Pressure Cooker", "Home and kitchen", "5 litres",
        219_900, 5, "761510", 70, "Aluminium, with two gaskets and a safety valve.",
    ),
    Item(
        "BRASS-DIYA", "Brass Diya", "Home and kitchen", "1 piece",
        49_900, 5, "940550", 130, "Hand-cast oil lamp for the evening aarti.",
    ),
    Item(
        "MIXER-GRINDER-750W", "Mixer Grinder 750 W", "Home and kitchen", "1 piece, 3 jars",
        349_900, 18, "850940", 45, "For wet dosa batter and dry masala alike.",
    ),
    Item(
        "CEILING-FAN-BLDC", "BLDC Ceiling Fan", "Home and kitchen", "1200 mm",
        329_900, 18, "841451", 40, "28 W at full speed, with a remote control.",
    ),
    Item(
        "SANDAL-SOAP-3", "Mysore Sandal Soap", "Beauty and wellness", "3 x 125 g",
        24_900, 5, "340111", 320, "With pure sandalwood oil.",
    ),
    Item(
        "COCONUT-HAIR-OIL", "Coconut Hair Oil with Amla", "Beauty and wellness", "500 ml bottle",
        21_900, 5, "330590", 240, "Cold-pressed coconut oil steeped with amla and bhringraj.",
    ),
    Item(
        "CHYAWANPRASH-1KG", "Chyawanprash", "Beauty and wellness", "1 kg jar",
        39_900, 5, "300490", 125, "Amla jam with forty herbs after an Ayurvedic recipe.",
    ),
    Item(
        "AGARBATTI-100", "Mogra Agarbatti", "Beauty and wellness", "100 sticks",
        9_900, 5, "330741", 500, "Hand-rolled incense with natural resin.",
    ),
    Item(
        "PANCHATANTRA-HI", "Panchatantra (पंचतंत्र की कहानियाँ)", "Books and games", "hardcover, Hindi",
        39_900, 0, "490110", 85, "Eighty tales of wit and friendship, illustrated.",
    ),
    Item(
        "NOTEBOOK-6", "Ruled Exercise Books", "Books and games", "set of 6",
        29_900, 0, "482020", 260, "172 pages each, of recycled paper.",
    ),
    Item(
        "CARROM-BOARD", "Carrom Board", "Books and games", "74 cm with coins",
        279_900, 5, "950490", 35, "Smooth birch ply with a beechwood frame.",
    ),
    Item(
        "CRICKET-BAT-SH", "Kashmir Willow Cricket Bat", "Books and games", "short handle",
        189_900, 5, "950699", 50, "Pressed and oiled, ready for the maidan.",
    ),
)
# fmt: on
