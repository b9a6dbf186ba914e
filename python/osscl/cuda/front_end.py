class CudaFrontEnd: ...


def front_end_code():
    return None
