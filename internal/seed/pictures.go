package seed

import (
	"context"
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/picture"
)

// The pictures of the demo shop are drawn in SVG; what is shown is made of it by
//
//	rsvg-convert -w 640 -h 640 NAME.svg -o NAME.png
//
//go:embed pictures/*.png
var pictures embed.FS

// Pictures gives the products of the demo shop their pictures, except those that have been changed.
func Pictures(
	ctx context.Context, pool *pgxpool.Pool, put func(ctx context.Context, name string, content []byte) error,
) error {
	files, err := pictures.ReadDir("pictures")
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := pictures.ReadFile(path.Join("pictures", file.Name()))
		if err != nil {
			return err
		}
		name, ok := picture.Name(content)
		if !ok {
			return fmt.Errorf("%s is no picture", file.Name())
		}
		if err := put(ctx, name, content); err != nil {
			return fmt.Errorf("keep %s: %w", file.Name(), err)
		}
		_, err = pool.Exec(ctx, `
			UPDATE catalogue.products SET images = ARRAY[@name::text]
			WHERE product_id = (SELECT product_id FROM catalogue.skus WHERE sku = @sku) AND sku = @sku AND version = 1`, pgx.NamedArgs{"name": name, "sku": strings.TrimSuffix(file.Name(), ".png")})
		if err != nil {
			return fmt.Errorf("show %s: %w", file.Name(), err)
		}
	}
	return nil
}
