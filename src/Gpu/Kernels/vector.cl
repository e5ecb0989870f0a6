// Field arithmetic by element, for tests and for callers that keep vectors on the device.
kernel void FIELD_vector(global const u256* a, global const u256* b, global u256* result, uint operation) {
    uint i = get_global_id(0);
    u256 x = a[i], y = b[i], r;
    switch (operation) {
        case 0: r = FIELD_add(x, y); break;
        case 1: r = FIELD_sub(x, y); break;
        case 2: r = FIELD_mul(x, y); break;
        case 3: r = FIELD_inv(x); break;
        case 4: r = FIELD_to_mont(x); break;
        default: r = FIELD_from_mont(x); break;
    }
    result[i] = r;
}
