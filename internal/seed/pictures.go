package seed

import (
	"context"
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/picture"
)

// The pictures of the demo shop are drawn in SVG. What is shown is made of it, for W in 320, 640 and 1280, by
//
//	rsvg-convert -w W NAME.svg -o NAME-W.png
//
//go:embed pictures/*.png
var pictures embed.FS

// pictureWidths are the widths of the pictures, the largest last; they are a quarter higher than wide.
var pictureWidths = []int{320, 640, 1280}

// alts say what the pictures show, by SKU.
var alts = map[string]string{
	"BAG-SAIL":    "A white bag of sailcloth with the number 47 in red",
	"BOWL-02":     "白地に青い波を描いた飯碗",
	"CANDLE-FOG":  "A lit candle in a grey cup",
	"CAP-NAVY":    "A navy cap with a brass buckle",
	"MUG-ENAMEL":  "A white enamel mug of coffee, steaming",
	"PLATE-03":    "月の満ち欠けを金で描いた五枚の豆皿",
	"PRINT-50":    "A linocut of the moon over waves, signed Ebb, 7 of 50",
	"SOAP-SALT":   "A bar of soap with a green wave and bubbles",
	"TEE-DROP-01": "A white T-shirt with three waves printed on it",
	"YUNOMI-01":   "灰釉に白い三日月の湯呑み",
}

// Pictures gives the products of the demo shop their pictures, except those that have been changed.
func Pictures(
	ctx context.Context, pool *pgxpool.Pool, put func(ctx context.Context, name string, content []byte) error,
) error {
	for sku, alt := range alts {
		name, err := putSizes(ctx, sku, put)
		if err != nil {
			return err
		}
		largest := pictureWidths[len(pictureWidths)-1]
		details := map[string]any{name: map[string]any{
			"width": largest, "height": largest * 5 / 4, "alt": alt, "widths": pictureWidths,
		}}
		_, err = pool.Exec(ctx, `
			UPDATE catalogue.products SET images = ARRAY[@name::text], image_details = @details
			WHERE product_id = (SELECT product_id FROM catalogue.skus WHERE sku = @sku) AND sku = @sku AND version = 1`,
			pgx.NamedArgs{"name": name, "details": details, "sku": sku})
		if err != nil {
			return fmt.Errorf("show picture of %s: %w", sku, err)
		}
	}
	return nil
}

// putSizes stores a picture in its widths and returns the name of the largest.
func putSizes(
	ctx context.Context, sku string, put func(ctx context.Context, name string, content []byte) error,
) (name string, err error) {
	for i := len(pictureWidths) - 1; i >= 0; i-- {
		width := strconv.Itoa(pictureWidths[i])
		content, err := pictures.ReadFile("pictures/" + sku + "-" + width + ".png")
		if err != nil {
			return "", err
		}
		stored := strings.TrimSuffix(name, ".png") + "-" + width + ".png"
		if name == "" {
			largest, ok := picture.Name(content)
			if !ok {
				return "", fmt.Errorf("the file of %s is not a picture", sku)
			}
			name, stored = largest, largest
		}
		if err := put(ctx, stored, content); err != nil {
			return "", fmt.Errorf("store picture of %s: %w", sku, err)
		}
	}
	return name, nil
}
