-- What makes the demo shop one that people would buy from: what it is called, its texts, and two products of which there are few or none.
UPDATE catalogue.settings SET name = 'Ebb & Moon', accent = '#0b6b75', currency = 'EUR', contact_email = 'hello@popup.example',
    tagline = '{"en": "Small drops from the coast and the kiln.", "ja": "海辺の布と、月の器。少しだけ、ときどき。"}'
WHERE name = 'popup';

INSERT INTO catalogue.texts (kind, language, description) VALUES
    ('terms', 'en', E'This is a demo shop. Nothing that is ordered here is sent, and no money moves.\n\nIn a real shop this page says who sells, when a contract is made, what it costs, and which law applies.'),
    ('terms', 'ja', E'ここはデモショップです。ご注文いただいた商品は発送されず、お金も動きません。\n\n本番のショップでは、販売者、契約の成立時期、価格、準拠法などをこのページでお知らせします。'),
    ('privacy', 'en', E'An order needs your name, your address and an e-mail address. They are used to send the order and for nothing else.\n\nYou can download what the shop knows about you, and close your account, on your account page.'),
    ('privacy', 'ja', E'ご注文には、お名前、ご住所、メールアドレスが必要です。発送のためだけに使い、ほかの目的には使いません。\n\n登録内容のダウンロードとアカウントの削除は、アカウントのページからできます。'),
    ('returns', 'en', E'Send anything back within 30 days, unused and in its box. You get the price back within three days of its arrival.\n\nNumbered prints are the exception: there is only one of each.'),
    ('returns', 'ja', E'未使用で箱のままの商品は、30日以内であれば返品できます。到着後3日以内に代金をお返しします。\n\n番号入りの版画は一点ものですので、返品はお受けできません。'),
    ('delivery', 'en', E'Orders are packed within two working days and sent with a tracking number.\n\nTide & Thread sends from Hamburg and Amsterdam, Tsuki no Utsuwa from Tokyo. You can also pick an order up.'),
    ('delivery', 'ja', E'ご注文は2営業日以内に梱包し、追跡番号付きで発送します。\n\nTide & Thread はハンブルクとアムステルダムから、月のうつわは東京から発送します。店舗での受け取りもできます。'),
    ('imprint', 'en', E'Ebb & Moon, a demo of popup\nHafenstraße 1\n20095 Hamburg\n\nhello@popup.example'),
    ('imprint', 'ja', E'Ebb & Moon（popup のデモ）\nHafenstraße 1, 20095 Hamburg\n\nhello@popup.example'),
    ('about', 'en', E'Tide & Thread prints on heavy cotton and sews bags from sails that crossed the Baltic. 月のうつわ throws tea bowls in Shigaraki clay, one kiln at a time.\n\nEvery few weeks there is a drop. When it is sold out, it is gone.'),
    ('about', 'ja', E'Tide & Thread は厚手の綿に手刷りし、バルト海を渡った帆からバッグを縫っています。月のうつわは信楽の土で、窯ごとに少しずつ器を焼いています。\n\n数週間に一度のドロップ。売り切れたら、それきりです。')
ON CONFLICT DO NOTHING;

INSERT INTO catalogue.products (product_id, store_id, category_id, tags, sku, name, description, price_minor, currency, created_at) VALUES
    ('01900000-0000-7000-8000-000000000109', '01900000-0000-7000-8000-000000000011', '01900000-0000-7000-8000-000000000404', '{bath}', 'SOAP-SALT', 'Sea salt soap', 'Cold pressed with salt from Læsø. It comes back in spring.', 900, 'EUR', now() - interval '2 hours'),
    ('01900000-0000-7000-8000-000000000110', '01900000-0000-7000-8000-000000000011', '01900000-0000-7000-8000-000000000404', '{candle,drop}', 'CANDLE-FOG', 'Fog candle', 'Cedar, smoke and a little rain. Poured in a cup that stays.', 3200, 'EUR', now() - interval '1 hour')
ON CONFLICT DO NOTHING;
INSERT INTO stock.levels (level_id, sku, warehouse_id) VALUES
    ('01900000-0000-7000-8000-000000000215', 'SOAP-SALT', '01900000-0000-7000-8000-000000000001'),
    ('01900000-0000-7000-8000-000000000216', 'CANDLE-FOG', '01900000-0000-7000-8000-000000000001')
ON CONFLICT DO NOTHING;
INSERT INTO stock.movements (movement_id, level_id, kind, quantity, reference, reason, by) VALUES
    ('01900000-0000-7000-8000-000000000316', '01900000-0000-7000-8000-000000000216', 'inbound', 3, 'seed', 'first stock', 'seed')
ON CONFLICT DO NOTHING;
