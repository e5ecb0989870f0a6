// A prime field of 256 bits or less: eight limbs of 32 bits, least significant first, in Montgomery form with
// R = 2^256, every value below p. FIELD_ is replaced by the field's prefix; FIELD_P, FIELD_R1 (R mod p), FIELD_R2
// (R^2 mod p) and FIELD_NINV (-1/p mod 2^32) are declared by the host before this text.

int FIELD_is_zero(u256 a) {
    uint any = 0;
    for (int i = 0; i < 8; i++) any |= a.v[i];
    return any == 0;
}

int FIELD_equal(u256 a, u256 b) {
    uint any = 0;
    for (int i = 0; i < 8; i++) any |= a.v[i] ^ b.v[i];
    return any == 0;
}

int FIELD_in_range(u256 a) {
    uint borrow = 0;
    for (int i = 0; i < 8; i++) {
        ulong x = (ulong)a.v[i] - FIELD_P[i] - borrow;
        borrow = (uint)(x >> 32) & 1;
    }
    return borrow;
}

u256 FIELD_zero(void) {
    u256 r;
    for (int i = 0; i < 8; i++) r.v[i] = 0;
    return r;
}

u256 FIELD_one(void) {
    u256 r;
    for (int i = 0; i < 8; i++) r.v[i] = FIELD_R1[i];
    return r;
}

// The value, whose bit 256 is given apart, less p where it is not below p.
u256 FIELD_reduce(u256 a, uint top) {
    u256 d;
    uint borrow = 0;
    UNROLL
    for (int i = 0; i < 8; i++) {
        ulong x = (ulong)a.v[i] - FIELD_P[i] - borrow;
        d.v[i] = (uint)x;
        borrow = (uint)(x >> 32) & 1;
    }
    uint keep = (top < borrow) ? 0xFFFFFFFFu : 0u;
    UNROLL
    for (int i = 0; i < 8; i++) d.v[i] = (a.v[i] & keep) | (d.v[i] & ~keep);
    return d;
}

u256 FIELD_add(u256 a, u256 b) {
    u256 s;
    uint carry = 0;
    UNROLL
    for (int i = 0; i < 8; i++) {
        ulong x = (ulong)a.v[i] + b.v[i] + carry;
        s.v[i] = (uint)x;
        carry = (uint)(x >> 32);
    }
    return FIELD_reduce(s, carry);
}

u256 FIELD_sub(u256 a, u256 b) {
    u256 d;
    uint borrow = 0;
    UNROLL
    for (int i = 0; i < 8; i++) {
        ulong x = (ulong)a.v[i] - b.v[i] - borrow;
        d.v[i] = (uint)x;
        borrow = (uint)(x >> 32) & 1;
    }
    uint mask = 0u - borrow;
    uint carry = 0;
    UNROLL
    for (int i = 0; i < 8; i++) {
        ulong x = (ulong)d.v[i] + (FIELD_P[i] & mask) + carry;
        d.v[i] = (uint)x;
        carry = (uint)(x >> 32);
    }
    return d;
}

u256 FIELD_neg(u256 a) { return FIELD_sub(FIELD_zero(), a); }

u256 FIELD_dbl(u256 a) { return FIELD_add(a, a); }

// a b / 2^256: Montgomery's product, a row of the schoolbook product and a row of the reduction in turn.
u256 FIELD_mul(u256 a, u256 b) {
    uint t[10];
    UNROLL
    for (int i = 0; i < 10; i++) t[i] = 0;
    UNROLL
    for (int i = 0; i < 8; i++) {
        uint carry = 0;
        UNROLL
        for (int j = 0; j < 8; j++) {
            ulong x = (ulong)a.v[j] * b.v[i] + t[j] + carry;
            t[j] = (uint)x;
            carry = (uint)(x >> 32);
        }
        ulong y = (ulong)t[8] + carry;
        t[8] = (uint)y;
        t[9] = (uint)(y >> 32);
        uint m = t[0] * FIELD_NINV;
        carry = (uint)(((ulong)m * FIELD_P[0] + t[0]) >> 32);
        UNROLL
        for (int j = 1; j < 8; j++) {
            ulong x = (ulong)m * FIELD_P[j] + t[j] + carry;
            t[j - 1] = (uint)x;
            carry = (uint)(x >> 32);
        }
        y = (ulong)t[8] + carry;
        t[7] = (uint)y;
        t[8] = t[9] + (uint)(y >> 32);
    }
    u256 r;
    UNROLL
    for (int i = 0; i < 8; i++) r.v[i] = t[i];
    return FIELD_reduce(r, t[8]);
}

u256 FIELD_sqr(u256 a) { return FIELD_mul(a, a); }

u256 FIELD_to_mont(u256 a) {
    u256 r2;
    for (int i = 0; i < 8; i++) r2.v[i] = FIELD_R2[i];
    return FIELD_mul(a, r2);
}

u256 FIELD_from_mont(u256 a) {
    u256 one = FIELD_zero();
    one.v[0] = 1;
    return FIELD_mul(a, one);
}

// a to a power of 256 bits, from the highest bit down.
u256 FIELD_pow(u256 a, u256 e) {
    u256 r = FIELD_one();
    for (int i = 255; i >= 0; i--) {
        r = FIELD_sqr(r);
        if ((e.v[i >> 5] >> (i & 31)) & 1) r = FIELD_mul(r, a);
    }
    return r;
}

// 1/a by Fermat; zero for zero.
u256 FIELD_inv(u256 a) {
    u256 e;
    for (int i = 0; i < 8; i++) e.v[i] = FIELD_P[i];
    e.v[0] -= 2; // every p here has a lowest limb above 1
    return FIELD_pow(a, e);
}
