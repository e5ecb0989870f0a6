// Points of a curve y^2 = x^3 + b in XYZZ coordinates (x = X/ZZ, y = Y/ZZZ, ZZ^3 = ZZZ^2; ZZ = 0 at infinity).
// Explicit-Formulas Database, "XYZZ coordinates": madd-2008-s, add-2008-s, dbl-2008-s-1, mdbl-2008-s-1.
// POINT_ and COORD_ are replaced by the prefixes of the group and its field, COORD by the field's type.
// An affine point (0, 0) stands for infinity.
typedef struct { COORD x, y; } POINT_affine;
typedef struct { COORD x, y, zz, zzz; } POINT_xyzz;

int POINT_affine_is_infinity(POINT_affine p) { return COORD_is_zero(p.x) && COORD_is_zero(p.y); }

POINT_xyzz POINT_infinity(void) {
    POINT_xyzz r;
    r.x = COORD_zero();
    r.y = COORD_zero();
    r.zz = COORD_zero();
    r.zzz = COORD_zero();
    return r;
}

POINT_xyzz POINT_from_affine(POINT_affine p) {
    if (POINT_affine_is_infinity(p)) return POINT_infinity();
    POINT_xyzz r;
    r.x = p.x;
    r.y = p.y;
    r.zz = COORD_one();
    r.zzz = COORD_one();
    return r;
}

POINT_xyzz POINT_double(POINT_xyzz p) {
    if (COORD_is_zero(p.zz)) return p;
    POINT_xyzz r;
    COORD u = COORD_dbl(p.y);
    COORD v = COORD_sqr(u);
    COORD w = COORD_mul(u, v);
    COORD s = COORD_mul(p.x, v);
    COORD m = COORD_sqr(p.x);
    m = COORD_add(m, COORD_dbl(m));
    r.x = COORD_sub(COORD_sqr(m), COORD_dbl(s));
    r.y = COORD_sub(COORD_mul(m, COORD_sub(s, r.x)), COORD_mul(w, p.y));
    r.zz = COORD_mul(v, p.zz);
    r.zzz = COORD_mul(w, p.zzz);
    return r;
}

// The end that both additions share: a point (x1, y1) in the other's scale, its distance p and r to the other.
POINT_xyzz POINT_finish(COORD x1, COORD y1, COORD p, COORD r, COORD zz, COORD zzz) {
    POINT_xyzz s;
    COORD pp = COORD_sqr(p);
    COORD ppp = COORD_mul(p, pp);
    COORD q = COORD_mul(x1, pp);
    s.x = COORD_sub(COORD_sub(COORD_sqr(r), ppp), COORD_dbl(q));
    s.y = COORD_sub(COORD_mul(r, COORD_sub(q, s.x)), COORD_mul(y1, ppp));
    s.zz = COORD_mul(zz, pp);
    s.zzz = COORD_mul(zzz, ppp);
    return s;
}

POINT_xyzz POINT_add_affine(POINT_xyzz a, POINT_affine b) {
    if (POINT_affine_is_infinity(b)) return a;
    if (COORD_is_zero(a.zz)) return POINT_from_affine(b);
    COORD p = COORD_sub(COORD_mul(b.x, a.zz), a.x);
    COORD r = COORD_sub(COORD_mul(b.y, a.zzz), a.y);
    if (COORD_is_zero(p)) return COORD_is_zero(r) ? POINT_double(a) : POINT_infinity();
    return POINT_finish(a.x, a.y, p, r, a.zz, a.zzz);
}

POINT_xyzz POINT_add(POINT_xyzz a, POINT_xyzz b) {
    if (COORD_is_zero(b.zz)) return a;
    if (COORD_is_zero(a.zz)) return b;
    COORD u1 = COORD_mul(a.x, b.zz);
    COORD s1 = COORD_mul(a.y, b.zzz);
    COORD p = COORD_sub(COORD_mul(b.x, a.zz), u1);
    COORD r = COORD_sub(COORD_mul(b.y, a.zzz), s1);
    if (COORD_is_zero(p)) return COORD_is_zero(r) ? POINT_double(a) : POINT_infinity();
    return POINT_finish(u1, s1, p, r, COORD_mul(a.zz, b.zz), COORD_mul(a.zzz, b.zzz));
}
