/*
 * layout.c: prints the size of every struct that the Python layer mirrors, and the offset of every field: "struct field offset", as the compiler of C has
 * them. tests/python/test_hardy.py compares.
 */
#include <hardy.h>
#include <stdio.h>

#define SIZE(type)         printf("%s size_of %zu\n", #type, sizeof(type))
#define FIELD(type, field) printf("%s %s %zu\n", #type, #field, offsetof(type, field))

int main(void)
{
	SIZE(hardy_error);
	FIELD(hardy_error, status);
	FIELD(hardy_error, message);
	SIZE(hardy_log);
	FIELD(hardy_log, emit);
	FIELD(hardy_log, payload);
	SIZE(hardy_image);
	FIELD(hardy_image, size);
	FIELD(hardy_image, data);
	FIELD(hardy_image, type);
	FIELD(hardy_image, shape);
	FIELD(hardy_image, stride);
	FIELD(hardy_image, spacing_mm);
	FIELD(hardy_image, affine);
	SIZE(hardy_predictor_options);
	FIELD(hardy_predictor_options, size);
	FIELD(hardy_predictor_options, network);
	FIELD(hardy_predictor_options, components);
	FIELD(hardy_predictor_options, tta);
	FIELD(hardy_predictor_options, window);
	FIELD(hardy_predictor_options, precision);
	FIELD(hardy_predictor_options, probabilities);
	FIELD(hardy_predictor_options, entropy);
	FIELD(hardy_predictor_options, labels_only);
	FIELD(hardy_predictor_options, adapt);
	FIELD(hardy_predictor_options, stn_iterations);
	FIELD(hardy_predictor_options, batch);
	FIELD(hardy_predictor_options, threads);
	SIZE(hardy_quality);
	FIELD(hardy_quality, size);
	FIELD(hardy_quality, predicted_dice);
	FIELD(hardy_quality, predicted_low);
	FIELD(hardy_quality, mean_entropy);
	FIELD(hardy_quality, disagreement);
	FIELD(hardy_quality, reconstruction_error);
	FIELD(hardy_quality, reconstruction_z);
	FIELD(hardy_quality, n_warnings);
	FIELD(hardy_quality, warnings);
	SIZE(hardy_scores_options);
	FIELD(hardy_scores_options, size);
	FIELD(hardy_scores_options, labels);
	FIELD(hardy_scores_options, n_labels);
	FIELD(hardy_scores_options, tolerance_mm);
	FIELD(hardy_scores_options, empty);
	FIELD(hardy_scores_options, hd95_directed);
	FIELD(hardy_scores_options, assd_directed);
	FIELD(hardy_scores_options, nsd_surfels);
	SIZE(hardy_stop);
	FIELD(hardy_stop, asked);
	FIELD(hardy_stop, payload);
	SIZE(hardy_option);
	FIELD(hardy_option, name);
	FIELD(hardy_option, type);
	FIELD(hardy_option, offset);
	FIELD(hardy_option, value);
	FIELD(hardy_option, about);
	FIELD(hardy_option, usual);
	FIELD(hardy_option, low);
	FIELD(hardy_option, high);
	FIELD(hardy_option, choices);
	FIELD(hardy_option, word);
	FIELD(hardy_option, use);
	FIELD(hardy_option, heading);
	SIZE(hardy_options);
	FIELD(hardy_options, command);
	FIELD(hardy_options, rows);
	FIELD(hardy_options, n);
	FIELD(hardy_options, size);
	FIELD(hardy_options, headings);
	printf("scores n %d\nstatus n %d\n", HARDY_N_SCORES, HARDY_ERROR_THRESHOLD + 1);
	return 0;
}
