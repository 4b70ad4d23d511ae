"""Files of a day's orders, as long as a test needs them."""


def day_file(count: int, day: str = "2026-11-20") -> str:
    """So many orders of one line."""
    rows = (f"{n:05},{day},*餐饮服务*面,1,{n % 90 + 1}.00,6%\n" for n in range(1, count + 1))
    return "订单号,时间,商品名称,数量,单价,税率\n" + "".join(rows)
