/*
 * hardy.h: everything that the hardy library offers.
 *
 * hardy trains and runs medical image segmentation that stays accurate away from the site it was trained on. Programs that hold scans in memory
 * want image.h, model.h, predict.h and evaluate.h, and dataset.h, artefact.h and train.h to make models; commands.h has the program's commands, from files to files. Each header begins with an
 * example that compiles and runs as it stands. docs/LIBRARY.md says how to build against the library and what it promises.
 */
#ifndef HARDY_H
#define HARDY_H

#include "hardy/artefact.h"
#include "hardy/commands.h"
#include "hardy/dataset.h"
#include "hardy/error.h"
#include "hardy/evaluate.h"
#include "hardy/image.h"
#include "hardy/model.h"
#include "hardy/options.h"
#include "hardy/predict.h"
#include "hardy/train.h"
#include "hardy/version.h"

#endif
