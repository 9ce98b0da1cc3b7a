package serveevents

import (
	"context"

	"github.com/popup-shop/popup/internal/mailtext"
	"github.com/popup-shop/popup/internal/web"
)

// MailSample is an example of a kind of mail, about a made-up order.
type MailSample struct {
	Kind     string `json:"kind" example:"order_shipped"`
	Language string `json:"language" enum:"en,ja"`
	Subject  string `json:"subject"`
	Text     string `json:"text" doc:"Its plain text."`
}

// SamplesAnswer has a sample of each kind in each language.
type SamplesAnswer struct {
	Body struct {
		Items []MailSample `json:"items" nullable:"false"`
	}
}

// mailSamples is called by staff.
func (h *handler) mailSamples(context.Context, web.Reader, *struct{}) (*SamplesAnswer, error) {
	answer := &SamplesAnswer{}
	for _, kind := range mailtext.Kinds() {
		for _, language := range mailtext.Languages() {
			m := mailtext.Sample(kind, language)
			m.Link = h.link(m)
			subject, text, _, err := mailtext.Render(m)
			if err != nil {
				return nil, err
			}
			answer.Body.Items = append(answer.Body.Items, MailSample{kind, language, subject, text})
		}
	}
	return answer, nil
}
