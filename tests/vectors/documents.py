"""The documents of the golden files: one blue, one red, everything about them fixed."""

from chain.canonical import JsonValue

SELLER: dict[str, JsonValue] = {
    "tax_id": "91440300MA5EXWHT6D",  # fixed; by GB 11714 its 17th character would be another
    "name": "国贸旋转餐厅",
    "address_phone": "深圳市罗湖区人民南路3002号 0755-82510000",
    "bank_account": "平安银行 11000000000000",
}

FACE: dict[str, JsonValue] = {
    "code": "144032609110",
    "number": "00000001",
    "type": "blue",
    "issued_at": "2026-08-10T12:00:00+08:00",
    "seller": SELLER,
    "industry": "6210",
    "district": "440303",
    "currency": "CNY",
    "amount": 10660,
    "tax": 640,
    "total": 11300,
    "order_id": "2026-08-10/0001",
    "drawer": "张三",
    "payee": "李四",
    "reviewer": "",
    "remark": 'with "quotes", a back\\slash and €',
}

BUYER: dict[str, JsonValue] = {
    "kind": "individual",
    "name": "王五",
    "tax_id": "",
    "address_phone": "",
    "payment_id": "",
}

LINES: list[JsonValue] = [
    {
        "name": "*餐饮服务*餐费",
        "spec": "",
        "unit": "份",
        "quantity": "1",
        "unit_price": 11300,
        "amount": 10660,
        "tax_rate": "0.06",
        "tax": 640,
    }
]

SALTS = {"face": bytes(range(16)), "buyer": bytes(range(16, 32)), "lines": bytes(range(32, 48))}
