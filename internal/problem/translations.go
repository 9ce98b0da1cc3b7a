package problem

import (
	"strconv"
	"strings"
)

const (
	english  = "en"
	japanese = "ja"
)

// translation is the title and the detail of a kind of problem.
type translation struct{ title, detail string }

// japaneseTexts has a translation for each kind. In English the title is the kind in words, and the detail that of the
// problem.
var japaneseTexts = map[string]translation{
	"invalid":               {"入力エラー", "リクエストに誤りのある項目があります。"},
	"authorisation-unknown": {"支払い承認が不明", "この支払い承認は見つかりません。"},
	"not-signed-in":         {"未ログイン", "有効なトークンが必要です。"},
	"not-allowed":           {"権限なし", "この操作を行う権限がありません。"},
	"foreign-page":          {"外部ページ", "他のサイトのページから、当店の Cookie でこの操作はできません。"},
	"not-found":             {"見つかりません", "お探しのものは見つかりません。"},
	"no-such-method":        {"使えないメソッド", "このメソッドはここでは使えません。"},
	"precondition-failed":   {"変更済み", "読み込んだ後に変更されています。もう一度読み込み、新しい ETag で変更してください。"},
	"too-slow":              {"時間切れ", "リクエストの本文が時間内に届きませんでした。"},
	"too-large":             {"大きすぎます", "リクエストが大きすぎます。"},
	"too-large-to-store":    {"保存できない大きさ", "一度に保存できる量を超えています。示された項目を減らしてください。"},
	"not-storable":          {"保存できない値", "保存できない値が含まれています。"},
	"unsupported":           {"対応していない形式", "この形式には対応していません。JSON で送ってください。"},
	"out-of-stock":          {"在庫不足", "ご注文の商品の在庫が足りません。"},
	"payment-refused":       {"支払い拒否", "お支払いが承認されませんでした。"},
	"not-on-sale":           {"販売終了", "ご注文の商品は現在販売していません。"},
	"total-changed":         {"合計金額の変更", "合計金額が想定と異なります。"},
	"slot-full":             {"配達枠満了", "この配達枠は満員です。"},
	"not-enough-points":     {"ポイント不足", "ポイントが足りません。"},
	"basket-ordered":        {"注文済みのカート", "このカートはすでに注文されています。"},
	"payment-open":          {"支払い手続き中", "お支払いの手続きがまだ終わっていません。"},
	"not-possible-now":      {"現在は不可", "現在の状態ではこの操作はできません。"},
	"sku-taken":             {"使用済みの SKU", "この SKU はすでに使われています。"},
	"slug-taken":            {"使用済みのアドレス", "このアドレスはすでに使われています。"},
	"moved":                 {"移動済み", "アドレスが変わりました。新しいアドレスは Location ヘッダーにあります。"},
	"e-mail-taken":          {"登録済みのメールアドレス", "このメールアドレスのアカウントはすでにあります。"},
	"key-taken":             {"登録済みの鍵", "この鍵はすでにアカウントに登録されています。"},
	"already-participating": {"参加済み", "この店舗はすでに参加しています。"},
	"in-use":                {"使用中", "使用中のため、この操作はできません。"},
	"document-differs":      {"文書の不一致", "同じ番号で内容の異なる文書がすでにあります。"},
	"no-map":                {"地図なし", "この地域の地図はありません。"},
	"twin-in-flight":        {"処理中", "同じキーのリクエストを処理しています。"},
	"key-reused":            {"使用済みのキー", "この Idempotency-Key は別のリクエストに使われています。"},
	"too-many":              {"回数超過", "回数が多すぎます。しばらくお待ちください。"},
	"busy":                  {"混雑中", "ただいま処理できません。同じキーで再度お試しください。"},
	"overloaded":            {"混雑中", "ただいま混み合っています。少し待ってから、同じキーで再度お試しください。"},
	"asleep-too-long":       {"起動待ち", "起動に時間がかかっています。同じキーで再度お試しください。"},
	"dependency-down":       {"一部停止中", "店舗の一部が応答していません。同じキーで再度お試しください。"},
	"internal":              {"内部エラー", "当店側の問題です。リクエスト ID で記録を確認できます。"},
}

// texts returns title and detail in the problem's language.
func (p *Problem) texts() (title, detail string) {
	if t, ok := japaneseTexts[p.Kind]; ok && p.language == japanese {
		return t.title, t.detail
	}
	return strings.ReplaceAll(p.Kind, "-", " "), p.Detail
}

// PreferredLanguage returns the language of the shop that an Accept-Language header prefers (RFC 9110, 12.5.4):
// Japanese where it is asked for, otherwise English.
func PreferredLanguage(header string) string {
	best, weight := english, 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, parameters, _ := strings.Cut(part, ";")
		language, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			q, _ = strconv.ParseFloat(text, 64) // 0 for text that is not a number
		}
		if (language == english || language == japanese) && q > weight {
			best, weight = language, q
		}
	}
	return best
}
