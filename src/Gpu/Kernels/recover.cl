// secp256k1 public-key recovery (SEC 1, 4.1.6), a signature a work-item: Q = (s/r) R - (m/r) G.
//
// s/r goes over R in signed digits of four bits with a table of R … 8R; m/r over a table of d 16^i G that the host
// makes once (64 places of 15 points), without doublings.

typedef struct { u256 r, s, message; uint parity, pad[7]; } recovery_request;

int scalar_in_range(u256 a) { return !sn_is_zero(a) && sn_in_range(a); }

// keys[item]: x and y, plain, least significant limb first; status[item]: 1 found, 0 none
kernel void secp_recover(
    global const recovery_request* requests, global const sg_affine* generator, global sg_affine* keys,
    global uint* status) {
    uint item = get_global_id(0);
    u256 r = requests[item].r;
    u256 s = requests[item].s;
    status[item] = 0;
    if (requests[item].parity > 1 || !scalar_in_range(r) || !scalar_in_range(s)) return;

    // R from its x (r is below n, which is below p) and the parity of y
    sg_affine point;
    point.x = sp_to_mont(r);
    u256 seven = sp_zero();
    seven.v[0] = 7;
    u256 square = sp_add(sp_mul(sp_sqr(point.x), point.x), sp_to_mont(seven));
    u256 exponent;
    for (int i = 0; i < 8; i++) exponent.v[i] = SECP_ROOT[i];
    point.y = sp_pow(square, exponent);
    if (!sp_equal(sp_sqr(point.y), square)) return;
    if ((sp_from_mont(point.y).v[0] & 1) != requests[item].parity) point.y = sp_neg(point.y);

    u256 inverse = sn_inv(sn_to_mont(r));
    u256 u2 = sn_mul(s, inverse);                              // plain: s (R/r) / R
    u256 message = sn_reduce(requests[item].message, 0);
    u256 u1 = sn_mul(sn_neg(message), inverse);

    sg_xyzz table[8];
    table[0] = sg_from_affine(point);
    table[1] = sg_double(table[0]);
    for (int i = 2; i < 8; i++) table[i] = sg_add_affine(table[i - 1], point);

    // signed digits of u2: value + 8 (1 + 16 + …), then digit = nibble - 8 at every place; it may carry into bit 256
    uint shifted[9];
    uint carry = 0;
    for (int i = 0; i < 8; i++) {
        ulong x = (ulong)u2.v[i] + 0x88888888u + carry;
        shifted[i] = (uint)x;
        carry = (uint)(x >> 32);
    }
    shifted[8] = carry;
    sg_xyzz sum = carry ? table[0] : sg_infinity();
    for (int place = 63; place >= 0; place--) {
        for (int k = 0; k < 4; k++) sum = sg_double(sum);
        int digit = (int)((shifted[place >> 3] >> (4 * (place & 7))) & 15) - 8;
        if (digit != 0) {
            sg_xyzz part = table[(digit < 0 ? -digit : digit) - 1];
            if (digit < 0) part.y = sp_neg(part.y);
            sum = sg_add(sum, part);
        }
    }
    for (int place = 0; place < 64; place++) {
        uint digit = (u1.v[place >> 3] >> (4 * (place & 7))) & 15;
        if (digit != 0) sum = sg_add_affine(sum, generator[place * 15 + digit - 1]);
    }
    if (sp_is_zero(sum.zz)) return;
    u256 z = sp_inv(sp_mul(sum.zz, sum.zzz));
    sg_affine key;
    key.x = sp_from_mont(sp_mul(sum.x, sp_mul(z, sum.zzz)));
    key.y = sp_from_mont(sp_mul(sum.y, sp_mul(z, sum.zz)));
    keys[item] = key;
    status[item] = 1;
}
