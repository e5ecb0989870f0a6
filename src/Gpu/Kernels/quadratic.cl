// Fq2 = Fq[u] / (u^2 + 1): the coordinates of BN254's second group.
typedef struct { u256 c0, c1; } fq2;

int fq2_is_zero(fq2 a) { return fq_is_zero(a.c0) && fq_is_zero(a.c1); }

int fq2_equal(fq2 a, fq2 b) { return fq_equal(a.c0, b.c0) && fq_equal(a.c1, b.c1); }

int fq2_in_range(fq2 a) { return fq_in_range(a.c0) && fq_in_range(a.c1); }

fq2 fq2_zero(void) { fq2 r; r.c0 = fq_zero(); r.c1 = fq_zero(); return r; }

fq2 fq2_one(void) { fq2 r; r.c0 = fq_one(); r.c1 = fq_zero(); return r; }

fq2 fq2_add(fq2 a, fq2 b) { fq2 r; r.c0 = fq_add(a.c0, b.c0); r.c1 = fq_add(a.c1, b.c1); return r; }

fq2 fq2_sub(fq2 a, fq2 b) { fq2 r; r.c0 = fq_sub(a.c0, b.c0); r.c1 = fq_sub(a.c1, b.c1); return r; }

fq2 fq2_neg(fq2 a) { fq2 r; r.c0 = fq_neg(a.c0); r.c1 = fq_neg(a.c1); return r; }

fq2 fq2_dbl(fq2 a) { return fq2_add(a, a); }

// Karatsuba: three products.
fq2 fq2_mul(fq2 a, fq2 b) {
    u256 low = fq_mul(a.c0, b.c0);
    u256 high = fq_mul(a.c1, b.c1);
    u256 both = fq_mul(fq_add(a.c0, a.c1), fq_add(b.c0, b.c1));
    fq2 r;
    r.c0 = fq_sub(low, high);
    r.c1 = fq_sub(fq_sub(both, low), high);
    return r;
}

fq2 fq2_sqr(fq2 a) {
    u256 product = fq_mul(a.c0, a.c1);
    fq2 r;
    r.c0 = fq_mul(fq_add(a.c0, a.c1), fq_sub(a.c0, a.c1));
    r.c1 = fq_dbl(product);
    return r;
}

fq2 fq2_inv(fq2 a) {
    u256 norm = fq_inv(fq_add(fq_sqr(a.c0), fq_sqr(a.c1)));
    fq2 r;
    r.c0 = fq_mul(a.c0, norm);
    r.c1 = fq_neg(fq_mul(a.c1, norm));
    return r;
}
