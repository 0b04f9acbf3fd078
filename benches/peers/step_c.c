// What the processor itself can do: CartPole steps with random actions and automatic resets, nothing stored. Blocks of
// worlds that stay in the first cache, each stepped many times. One bit of a hash of (world, step) is the action.
// cc -O3 -march=native -mprefer-vector-width=512 -ffast-math -fopenmp step_c.c -o step_c -lm
// step_c WORLDS STEPS SECONDS   prints steps per second, one run a line
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 1024 };

static inline uint32_t hash(uint32_t x) {
	x = x * 747796405u + 2891336453u;
	x = ((x >> ((x >> 28) + 4)) ^ x) * 277803737u;
	return x ^ (x >> 22);
}

static inline float uniform(uint32_t word) { return (float)(int32_t)(word >> 9) * (0.1f / 8388608.0f) - 0.05f; }

// |x| below π/2, as in every state of an episode
static inline float sine(float x) {
	float z = x * x;
	return x * (1.0f + z * (-0.16666667f + z * (0.0083333310f + z * (-0.00019840874f + z * 2.7525562e-6f))));
}

static inline float cosine(float x) {
	float z = x * x;
	return 1.0f + z * (-0.5f + z * (0.041666638f + z * (-0.0013888378f + z * 2.4760495e-5f)));
}

int main(int argc, char **argv) {
	long worlds = argc > 1 ? atol(argv[1]) : 65536, steps = argc > 2 ? atol(argv[2]) : 1000;
	double seconds = argc > 3 ? atof(argv[3]) : 2.0;
	worlds = (worlds + BLOCK - 1) / BLOCK * BLOCK;
	float *x = aligned_alloc(64, worlds * 4), *v = aligned_alloc(64, worlds * 4);
	float *a = aligned_alloc(64, worlds * 4), *w = aligned_alloc(64, worlds * 4);
	int32_t *age = aligned_alloc(64, worlds * 4);
	for (long i = 0; i < worlds; i++) {
		x[i] = v[i] = a[i] = w[i] = 0.01f;
		age[i] = 0;
	}
	uint32_t now = 0;
	double began = omp_get_wtime();
	for (int run = 0; run < 6 || omp_get_wtime() - began < seconds; run++) {
		double start = omp_get_wtime();
#pragma omp parallel for schedule(dynamic)
		for (long first = 0; first < worlds; first += BLOCK)
			for (uint32_t t = now; t < now + (uint32_t)steps; t++)
#pragma omp simd
				for (long i = first; i < first + BLOCK; i++) {
					uint32_t word = hash((uint32_t)i + t * 0x9e3779b9u);
					float push = word & 1 ? 10.0f : -10.0f, s = sine(a[i]), c = cosine(a[i]);
					float drive = (push + 0.05f * w[i] * w[i] * s) * (1.0f / 1.1f);
					float turn = (9.8f * s - c * drive) / (0.5f * (4.0f / 3.0f - 0.1f * c * c * (1.0f / 1.1f)));
					float pull = drive - 0.05f * turn * c * (1.0f / 1.1f);
					float nx = x[i] + 0.02f * v[i], nv = v[i] + 0.02f * pull;
					float na = a[i] + 0.02f * w[i], nw = w[i] + 0.02f * turn;
					int32_t n = age[i] + 1;
					int over = (nx > 2.4f) | (nx < -2.4f) | (na > 0.20943951f) | (na < -0.20943951f) | (n >= 500);
					uint32_t h1 = hash(word), h2 = hash(h1), h3 = hash(h2), h4 = hash(h3);
					x[i] = over ? uniform(h1) : nx;
					v[i] = over ? uniform(h2) : nv;
					a[i] = over ? uniform(h3) : na;
					w[i] = over ? uniform(h4) : nw;
					age[i] = over ? 0 : n;
				}
		now += (uint32_t)steps;
		double spent = omp_get_wtime() - start, sum = 0;
		for (long i = 0; i < worlds; i += 7) sum += x[i] + a[i];
		if (run > 0) printf("%.0f %g\n", worlds * (double)steps / spent, sum);
	}
	return 0;
}
