"""placeholder"""


def answer_of_duckdb(sql, folder): ...
