package editcatalogue

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/picture"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/typed"
	"github.com/popup-shop/popup/internal/web"
)

// imagesAtMost is how many pictures a product has at most.
const imagesAtMost = 20

// ImageRequest is a picture of a product: PNG, JPEG or WebP, at most 20 MiB and 50 million pixels.
type ImageRequest struct {
	ID      string `path:"id" format:"uuid"`
	Alt     string `query:"alt" maxLength:"500" doc:"What the picture shows, for those who do not see it."`
	RawBody []byte `contentType:"image/*"`
}

// ImageName names a picture of a product.
type ImageName struct {
	ID   string `path:"id" format:"uuid"`
	Name string `path:"name" maxLength:"100" doc:"the last part of its address"`
}

// ImagesAnswer is all pictures of a product.
type ImagesAnswer struct {
	Body struct {
		ImageURLs []string          `json:"image_urls" nullable:"false"`
		Images    []catalogue.Image `json:"images" nullable:"false"`
	}
}

// addImage is called by staff, and by programs that keep the catalogue. What a picture is, is decided by its content;
// the same one twice is one, with the newest text. Decoding takes much memory, so one picture is decoded at a time.
func (h handler) addImage() web.StagedCall[ImageRequest, picture.Picture, ImagesAnswer] {
	return web.StagedCall[ImageRequest, picture.Picture, ImagesAnswer]{
		Status: http.StatusCreated, Slots: h.converting, Prepare: findProduct, Work: h.keepImage, Do: h.showImage,
	}
}

func findProduct(ctx context.Context, tx pgx.Tx, in *ImageRequest) (*picture.Picture, error) {
	in.Alt = typed.Line(in.Alt)
	if !typed.IsLine(in.Alt) {
		return nil, problem.Invalid(problem.FieldError{Field: "alt", Message: "must not have control characters or invisible ones"})
	}
	_, err := lockProduct(ctx, tx, in.ID)
	return &picture.Picture{}, err
}

// keepImage converts a picture and stores its sizes.
func (h handler) keepImage(ctx context.Context, in *ImageRequest, p *picture.Picture) error {
	converted, err := picture.Convert(in.RawBody)
	for _, reason := range []error{picture.ErrNoPicture, picture.ErrTooLarge, picture.ErrAnimated} {
		if errors.Is(err, reason) {
			return problem.Invalid(problem.FieldError{Field: "body", Message: reason.Error()})
		}
	}
	if err != nil {
		return err
	}
	*p = *converted
	for _, size := range p.Sizes {
		if err := h.pictures.Put(ctx, size.Name, size.Content); err != nil {
			away := problem.New(http.StatusServiceUnavailable, "dependency-down", "the store of pictures does not answer")
			return errors.Join(away, err)
		}
	}
	return nil
}

func (h handler) showImage(
	ctx context.Context, tx pgx.Tx, in *ImageRequest, p *picture.Picture,
) (*ImagesAnswer, []events.Event, error) {
	if _, err := lockProduct(ctx, tx, in.ID); err != nil {
		return nil, nil, err
	}
	largest := p.Largest()
	details := catalogue.ImageDetails{Width: largest.Width, Height: largest.Height, Alt: in.Alt}
	for _, size := range p.Sizes {
		details.Widths = append(details.Widths, size.Width)
	}
	emitted, stored, err := changeImages(ctx, tx, in.ID, largest.Name, details, `
		UPDATE catalogue.products SET images = array_remove(images, @name::text) || @name::text,
			image_details = image_details || jsonb_build_object(@name::text, @details::jsonb)
		WHERE product_id = @product_id AND (NOT images @> ARRAY[@name::text] OR image_details -> @name::text IS DISTINCT FROM @details::jsonb)`)
	if err == nil && len(stored.names) > imagesAtMost {
		err = problem.New(http.StatusConflict, "not-possible-now", "a product has at most 20 pictures")
	}
	out := &ImagesAnswer{}
	base := h.pictures.BaseURL()
	out.Body.ImageURLs = catalogue.ImageURLs(base, stored.names)
	out.Body.Images = catalogue.Images(base, stored.names, stored.details)
	return out, emitted, err
}

// removeImage is called by staff, and by programs that keep the catalogue. The store keeps the picture: others may show
// it.
func removeImage(ctx context.Context, tx pgx.Tx, in *ImageName) (*struct{}, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("product")
	}
	if _, err := lockProduct(ctx, tx, in.ID); err != nil {
		return nil, nil, err
	}
	emitted, _, err := changeImages(ctx, tx, in.ID, in.Name, catalogue.ImageDetails{}, `
		UPDATE catalogue.products SET images = array_remove(images, @name::text), image_details = image_details - @name::text
		WHERE product_id = @product_id AND images @> ARRAY[@name::text]`)
	if err == nil && emitted == nil {
		return nil, nil, problem.NotFound("picture of this product")
	}
	return &struct{}{}, emitted, err
}

// images are the pictures of a product as they are stored.
type images struct {
	names   []string
	details map[string]catalogue.ImageDetails
}

// changeImages changes the pictures of a product, and returns an event if they differ.
func changeImages(
	ctx context.Context, tx pgx.Tx, productID, name string, details catalogue.ImageDetails, sql string,
) (emitted []events.Event, stored images, err error) {
	e := events.ProductChanged{ProductID: productID, Change: events.ChangeUpdated}
	args := pgx.NamedArgs{"product_id": productID, "name": name, "details": details}
	err = tx.QueryRow(ctx, sql+` RETURNING store_id::text, version, images, image_details`, args).
		Scan(&e.StoreID, &e.Version, &stored.names, &stored.details)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tx.QueryRow(ctx, `SELECT images, image_details FROM catalogue.products WHERE product_id = @product_id`, args).
			Scan(&stored.names, &stored.details)
	} else {
		emitted = []events.Event{e}
	}
	if err != nil {
		return nil, stored, fmt.Errorf("change pictures of product %s: %w", productID, err)
	}
	return emitted, stored, nil
}
