package seed

// What the names of made-up products are made of.
var (
	looks     = []string{"Quiet", "Bright", "Folded", "Tidal", "Amber", "Northern", "Woven", "Little", "Grand", "Everyday", "Hidden", "Double", "Slow", "Copper", "Paper", "Autumn", "Indigo", "Salted", "Early", "Plain"}
	materials = []string{"Linen", "Wool", "Oak", "Steel", "Cotton", "Ceramic", "Glass", "Leather", "Bamboo", "Brass", "Felt", "Cork", "Canvas", "Walnut", "Porcelain", "Silk", "Rubber", "Marble", "Hemp", "Aluminium"}
	uses      = []string{"made for daily use", "a gift that lasts", "numbered by hand", "for small kitchens", "packed flat", "mended free of charge", "washable at forty degrees", "for wet weather", "light enough to travel", "with a spare part in the box"}
	tagWords  = []string{"new", "gift", "handmade", "limited", "organic", "sale", "summer", "winter", "travel", "office", "outdoor", "kids", "classic", "recycled", "vegan", "local", "waterproof", "minimal", "vintage", "bestseller"}
	colours   = []string{"black", "white", "red", "blue", "green", "sand"}
	sizes     = []string{"S", "M", "L", "XL"}

	japaneseLooks  = []string{"静かな", "小さな", "藍染の", "春の", "手織りの", "北国の", "月夜の", "昔ながらの"}
	japaneseThings = []string{"湯呑み", "飯碗", "豆皿", "風呂敷", "手ぬぐい", "急須", "箸置き", "花瓶", "文庫箱", "行灯"}
	japaneseUses   = []string{"毎日の食卓に。", "職人が一つずつ仕上げました。", "贈り物にどうぞ。", "軽くて丈夫です。"}
)

// department is a category with those below it, and what is sold in each.
type department struct {
	name   string
	groups map[string][]string
	order  []string
}

var departments = []department{
	{"Kitchen", map[string][]string{"Cups": {"Mug", "Tumbler", "Espresso cup", "Teapot"}, "Plates": {"Plate", "Bowl", "Platter", "Tray"}, "Tools": {"Peeler", "Ladle", "Grater", "Chopping board"}}, []string{"Cups", "Plates", "Tools"}},
	{"Clothing", map[string][]string{"Tops": {"T-shirt", "Jumper", "Overshirt", "Hoodie"}, "Bottoms": {"Trousers", "Shorts", "Skirt", "Leggings"}, "Extras": {"Scarf", "Beanie", "Gloves", "Belt"}}, []string{"Tops", "Bottoms", "Extras"}},
	{"Desk", map[string][]string{"Input": {"Keyboard", "Mouse", "Trackball", "Wrist rest"}, "Light": {"Lamp", "Lantern", "Candle", "Reading light"}, "Paper": {"Notebook", "Planner", "Letter set", "Sketchbook"}}, []string{"Input", "Light", "Paper"}},
	{"Travel", map[string][]string{"Bags": {"Backpack", "Tote", "Duffel", "Pouch"}, "Comfort": {"Blanket", "Neck pillow", "Towel", "Slippers"}, "Bottles": {"Flask", "Bottle", "Lunch box", "Thermos"}}, []string{"Bags", "Comfort", "Bottles"}},
	{"Home", map[string][]string{"Textiles": {"Cushion", "Rug", "Throw", "Curtain"}, "Storage": {"Basket", "Box", "Shelf", "Hook rail"}, "Decor": {"Vase", "Frame", "Mirror", "Print"}}, []string{"Textiles", "Storage", "Decor"}},
}
