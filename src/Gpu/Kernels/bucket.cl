// The part of multi-scalar multiplication that knows the group (msm.cl has the rest).

// sums[s] = the sum of a segment's points; rows are row_stride segments apart and hold totals[row] of them
kernel void POINT_sum_points(
    global const POINT_affine* points, global const uint* entries, global const uint2* segments,
    global const uint* totals, global POINT_xyzz* sums, uint row_stride) {
    uint s = get_global_id(0);
    uint row = get_global_id(1);
    if (s >= totals[row]) return;
    uint2 segment = segments[row * row_stride + s];
    POINT_xyzz sum = POINT_infinity();
    for (uint k = 0; k < segment.y; k++) {
        uint entry = entries[segment.x + k];
        POINT_affine p = points[entry & 0x7FFFFFFFu];
        if (entry >> 31) p.y = COORD_neg(p.y);
        sum = POINT_add_affine(sum, p);
    }
    sums[row * row_stride + s] = sum;
}

kernel void POINT_sum_sums(
    global const POINT_xyzz* parts, global const uint2* segments, global const uint* totals, global POINT_xyzz* sums,
    uint row_stride) {
    uint s = get_global_id(0);
    uint row = get_global_id(1);
    if (s >= totals[row]) return;
    uint2 segment = segments[row * row_stride + s];
    POINT_xyzz sum = POINT_infinity();
    for (uint k = 0; k < segment.y; k++) sum = POINT_add(sum, parts[segment.x + k]);
    sums[row * row_stride + s] = sum;
}

// results[row * stretches + t] = sum of (b + 1) bucket[b] over a stretch of the row's buckets, from its highest down
kernel void POINT_reduce(
    global const POINT_xyzz* sums, global const uint* counts, global const uint* starts, global POINT_xyzz* results,
    uint buckets, uint stretch) {
    uint t = get_global_id(0);
    uint row = get_global_id(1);
    uint from = t * stretch, to = min(from + stretch, buckets);
    POINT_xyzz running = POINT_infinity(), total = POINT_infinity();
    for (uint b = to; b > from; b--) {
        uint at = row * buckets + b - 1;
        if (counts[at] != 0) running = POINT_add(running, sums[starts[at]]);
        total = POINT_add(total, running);
    }
    // so far bucket b counted b + 1 - from times: from times the whole is missing
    POINT_xyzz part = running;
    for (uint k = from; k != 0; k >>= 1) {
        if (k & 1) total = POINT_add(total, part);
        part = POINT_double(part);
    }
    results[row * get_global_size(0) + t] = total;
}

// XYZZ to affine, a stretch of points a work-item with one inversion (Montgomery's trick); products is scratch
kernel void POINT_to_affine(
    global const POINT_xyzz* points, global POINT_affine* affine, global COORD* products, uint count, uint stretch) {
    uint from = get_global_id(0) * stretch, to = min(from + stretch, count);
    COORD product = COORD_one();
    for (uint i = from; i < to; i++) {
        products[i] = product;
        COORD z = COORD_mul(points[i].zz, points[i].zzz);
        if (!COORD_is_zero(z)) product = COORD_mul(product, z);
    }
    COORD inverse = COORD_inv(product);
    for (uint i = to; i > from; i--) {
        POINT_xyzz p = points[i - 1];
        POINT_affine r;
        COORD z = COORD_mul(p.zz, p.zzz);
        if (COORD_is_zero(z)) {
            r.x = COORD_zero();
            r.y = COORD_zero();
        } else {
            COORD both = COORD_mul(inverse, products[i - 1]);
            r.x = COORD_mul(p.x, COORD_mul(both, p.zzz));
            r.y = COORD_mul(p.y, COORD_mul(both, p.zz));
            inverse = COORD_mul(inverse, z);
        }
        affine[i - 1] = r;
    }
}

// points[i] + points[i] … for tests and batch sums: result[i] = a[i] + b[i], as XYZZ
kernel void POINT_add_pairs(global const POINT_affine* a, global const POINT_affine* b, global POINT_xyzz* result) {
    uint i = get_global_id(0);
    result[i] = POINT_add_affine(POINT_from_affine(a[i]), b[i]);
}

// faults becomes nonzero where a coordinate is not below p or a point not on y^2 = x^3 + curve_b (infinity is)
kernel void POINT_check(global const POINT_affine* points, global const COORD* curve_b, volatile global uint* faults) {
    uint i = get_global_id(0);
    POINT_affine p = points[i];
    COORD right = COORD_add(COORD_mul(COORD_sqr(p.x), p.x), *curve_b);
    int good = COORD_in_range(p.x) && COORD_in_range(p.y)
        && (POINT_affine_is_infinity(p) || COORD_equal(COORD_sqr(p.y), right));
    if (!good) atomic_inc(faults);
}
