#include "thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace osscl {

namespace {

// Longer than a task of the front end and than the pause between two calls in a loop, and short enough
// that nobody notices the processor it takes.
constexpr std::chrono::microseconds spin_time{50};

inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Waits without sleeping for at most `spin_time`, because a thread takes tens of microseconds to wake.
// Yields in between: where threads outnumber processors, the one waited for may need this one.
template <class Ready> void spin_until(Ready ready) {
    const auto deadline = std::chrono::steady_clock::now() + spin_time;
    do {
        for (int i = 0; i < 20; ++i) {
            if (ready()) {
                return;
            }
            relax();
        }
        std::this_thread::yield();
    } while (std::chrono::steady_clock::now() < deadline);
}

// Neighbouring tasks that one thread begins with. On a cache line of its own.
struct alignas(64) Share {
    std::atomic<std::size_t> next;
    std::size_t end;
};

// One parallel_for in progress. Lives on the stack of the thread that called it.
class Job {
  public:
    Job(std::size_t n_tasks, std::size_t n_threads, const std::function<void(std::size_t)>& task_body)
        : open_places(n_threads - 1), body_(task_body), shares_(n_threads) {
        for (std::size_t i = 0; i < n_threads; ++i) {
            shares_[i].next = n_tasks * i / n_threads;
            shares_[i].end = n_tasks * (i + 1) / n_threads;
        }
    }

    // Runs tasks until none is left: those of the thread's own share, then what others have left of theirs.
    // Neighbours stay with one thread because their results share cache lines.
    void work(std::size_t own_share) {
        for (std::size_t i = 0; i < shares_.size(); ++i) {
            Share& share = shares_[(own_share + i) % shares_.size()];
            for (std::size_t task = share.next++; task < share.end; task = share.next++) {
                body_(task);
            }
        }
    }

    void drop_tasks() {
        for (Share& share : shares_) {
            share.next = share.end;
        }
    }

    std::size_t n_shares() const { return shares_.size(); }

    std::size_t open_places;                // threads that may still join; guarded by the pool's mutex
    std::atomic<std::size_t> n_helpers = 0; // threads that joined and have not left; changed under the mutex
    std::exception_ptr error = nullptr;     // guarded by the pool's mutex

  private:
    const std::function<void(std::size_t)>& body_;
    std::vector<Share> shares_;
};

class ThreadPool {
  public:
    void run(Job& job) {
        {
            const std::lock_guard lock(mutex_);
            start_threads(job.open_places); // may throw, so before anyone sees the job
            jobs_.push_back(&job);
            open_places_ += job.open_places;
        }
        work_available_.notify_all();
        work(job, 0);
        {
            const std::lock_guard lock(mutex_);
            std::erase(jobs_, &job);
            open_places_ -= job.open_places;
        }
        const auto all_left = [&] { return job.n_helpers == 0; };
        spin_until(all_left);
        std::unique_lock lock(mutex_);
        helper_left_.wait(lock, all_left);
    }

  private:
    void start_threads(std::size_t count) {
        for (; n_threads_ < count; ++n_threads_) {
            std::thread([this] { serve(); }).detach();
        }
    }

    [[noreturn]] void serve() {
        std::unique_lock lock(mutex_);
        for (;;) {
            work_available_.wait(lock, [&] { return open_places_ > 0; });
            Job& job = **std::ranges::find_if(jobs_, [](const Job* j) { return j->open_places > 0; });
            const std::size_t share = job.n_shares() - job.open_places;
            --job.open_places;
            --open_places_;
            ++job.n_helpers;
            lock.unlock();
            work(job, share);
            lock.lock();
            --job.n_helpers; // the job may be gone from here on
            helper_left_.notify_all();
            lock.unlock();
            spin_until([&] { return open_places_ > 0; });
            lock.lock();
        }
    }

    void work(Job& job, std::size_t share) {
        try {
            job.work(share);
        } catch (...) {
            job.drop_tasks(); // the others stop too
            const std::lock_guard lock(mutex_);
            job.error = job.error ? job.error : std::current_exception();
        }
    }

    std::mutex mutex_;
    std::condition_variable work_available_, helper_left_;
    std::deque<Job*> jobs_;
    std::atomic<std::size_t> open_places_ = 0; // of all jobs; changed under the mutex, watched without it
    std::size_t n_threads_ = 0;
};

// Never destroyed: its threads may still wait in it while the process ends. A forked child has none of the
// parent's threads, so it forgets the parent's pool, in whatever state that was, and makes its own.
std::atomic<ThreadPool*> shared_pool = nullptr;

ThreadPool& pool() {
    static const int registered = pthread_atfork(nullptr, nullptr, [] { shared_pool = nullptr; });
    static_cast<void>(registered);
    ThreadPool* current = shared_pool;
    if (current == nullptr) {
        auto* fresh = new ThreadPool; // owned by the process
        if (shared_pool.compare_exchange_strong(current, fresh)) {
            current = fresh;
        } else {
            delete fresh;
        }
    }
    return *current;
}

} // namespace

void parallel_for(std::size_t n_tasks, std::size_t n_threads, const std::function<void(std::size_t)>& body) {
    const std::size_t wanted = std::min(n_tasks, n_threads);
    if (wanted <= 1) {
        for (std::size_t task = 0; task < n_tasks; ++task) {
            body(task);
        }
        return;
    }
    Job job(n_tasks, wanted, body);
    pool().run(job);
    if (job.error) {
        std::rethrow_exception(job.error);
    }
}

} // namespace osscl
