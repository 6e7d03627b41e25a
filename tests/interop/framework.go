// A scheduler and its executor on mesos-go, a client of Mesos' v1 API that others wrote.
//
//	framework HOST:PORT [TASKS]   launches tasks that take turns in finishing, exchanges messages, tears itself down
//	framework executor            is its executor
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/codecs"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
	ecalls "github.com/mesos/mesos-go/api/v1/lib/executor/calls"
	"github.com/mesos/mesos-go/api/v1/lib/executor/config"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpexec"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpsched"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler/calls"
	"github.com/pborman/uuid"
)

const patience = 60 * time.Second

func client(endpoint, path string) *httpcli.Client {
	return httpcli.New(
		httpcli.Endpoint("http://"+endpoint+path),
		httpcli.Codec(codecs.ByMediaType[codecs.MediaTypeProtobuf]),
		httpcli.Do(httpcli.With(httpcli.Timeout(10*time.Minute))))
}

func main() {
	log.SetFlags(log.Lmicroseconds)
	var err error
	if len(os.Args) > 1 && os.Args[1] == "executor" {
		err = runExecutor()
	} else if len(os.Args) > 1 {
		tasks := 20
		if len(os.Args) > 2 {
			tasks, err = strconv.Atoi(os.Args[2])
		}
		if err == nil {
			err = runScheduler(os.Args[1], tasks)
		}
	} else {
		err = errors.New("usage: framework HOST:PORT [TASKS]")
	}
	if err != nil {
		log.Fatal(err)
	}
}

// ---- The executor: each task finishes at once, with its own data as result; messages are echoed.

type worker struct {
	sender ecalls.Sender
	self   mesos.ExecutorID
}

func (w *worker) send(call *executor.Call) error {
	return ecalls.SendNoData(context.Background(), w.sender, ecalls.NonStreaming(call))
}

func (w *worker) update(task *mesos.TaskInfo, state mesos.TaskState, data []byte) error {
	return w.send(ecalls.Update(mesos.TaskStatus{
		TaskID:     task.TaskID,
		ExecutorID: &w.self,
		Source:     mesos.SOURCE_EXECUTOR.Enum(),
		State:      &state,
		UUID:       []byte(uuid.NewRandom()),
		Data:       data,
	}))
}

func (w *worker) handle(e *executor.Event) error {
	switch e.GetType() {
	case executor.Event_LAUNCH:
		task := &e.Launch.Task
		if err := w.update(task, mesos.TASK_RUNNING, nil); err != nil {
			return err
		}
		return w.update(task, mesos.TASK_FINISHED, task.Data)
	case executor.Event_MESSAGE:
		return w.send(ecalls.Message(append([]byte("echo:"), e.Message.Data...)))
	case executor.Event_SHUTDOWN:
		os.Exit(0)
	}
	return nil
}

func runExecutor() error {
	env, err := config.FromEnv()
	if err != nil {
		return err
	}
	http := client(env.AgentEndpoint, "/api/v1/executor")
	options := executor.CallOptions{ecalls.Framework(env.FrameworkID), ecalls.Executor(env.ExecutorID)}
	w := &worker{
		sender: ecalls.SenderWith(httpexec.NewSender(http.Send), options...),
		self:   mesos.ExecutorID{Value: env.ExecutorID},
	}
	subscribe := ecalls.Subscribe(nil, nil).With(options...)
	stream, err := httpexec.NewSender(http.Send, httpcli.Close(true)).Send(
		context.Background(), ecalls.NonStreaming(subscribe))
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		var e executor.Event
		if err := stream.Decode(&e); err != nil {
			return err
		}
		if err := w.handle(&e); err != nil {
			return err
		}
	}
}

// ---- The scheduler.

type framework struct {
	caller           calls.Caller
	id               string
	tasks            int
	launched         int
	running, results map[string]bool
	echoes           map[string]bool
	agents           map[string]string // agents that were sent a message, and what it was
}

func scalar(name string, value float64) mesos.Resource {
	role := "*"
	return mesos.Resource{
		Name:           name,
		Type:           mesos.SCALAR.Enum(),
		Scalar:         &mesos.Value_Scalar{Value: value},
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: &role},
	}
}

func (f *framework) call(call *scheduler.Call) error {
	return calls.CallNoData(context.Background(), f.caller, call.With(calls.Framework(f.id)))
}

func (f *framework) task(offer *mesos.Offer) mesos.TaskInfo {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	f.launched++
	id := fmt.Sprintf("task-%d", f.launched)
	command := self + " executor"
	return mesos.TaskInfo{
		Name:      id,
		TaskID:    mesos.TaskID{Value: id},
		AgentID:   offer.AgentID,
		Resources: []mesos.Resource{scalar("cpus", 0.2), scalar("mem", 32)},
		Data:      []byte("data of " + id),
		Executor: &mesos.ExecutorInfo{
			Type:       mesos.ExecutorInfo_CUSTOM,
			ExecutorID: mesos.ExecutorID{Value: "executor"},
			Command:    &mesos.CommandInfo{Value: &command},
			Resources:  []mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32)},
		},
	}
}

func cpus(offer *mesos.Offer) float64 {
	for _, r := range offer.Resources {
		if r.GetName() == "cpus" {
			return r.GetScalar().GetValue()
		}
	}
	return 0
}

func (f *framework) offers(offers []mesos.Offer) error {
	for i := range offers {
		offer := &offers[i]
		var tasks []mesos.TaskInfo
		for free := cpus(offer) - 0.1; free >= 0.2 && f.launched < f.tasks && len(tasks) < 3; free -= 0.2 {
			tasks = append(tasks, f.task(offer))
		}
		err := f.call(calls.Accept(calls.OfferOperations{calls.OpLaunch(tasks...)}.WithOffers(offer.ID)).With(
			calls.RefuseSeconds(0)))
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *framework) update(s *mesos.TaskStatus) error {
	id := s.TaskID.Value
	if len(s.UUID) > 0 {
		if err := f.call(calls.Acknowledge(s.AgentID.Value, id, s.UUID)); err != nil {
			return err
		}
	}
	switch s.GetState() {
	case mesos.TASK_RUNNING:
		f.running[id] = true
		if _, sent := f.agents[s.AgentID.Value]; !sent {
			text := "hello " + s.AgentID.Value
			f.agents[s.AgentID.Value] = text
			return f.call(calls.Message(s.AgentID.Value, "executor", []byte(text)))
		}
	case mesos.TASK_FINISHED:
		if !f.running[id] {
			return fmt.Errorf("%s finished before it ran", id)
		}
		if !bytes.Equal(s.Data, []byte("data of "+id)) {
			return fmt.Errorf("%s came with %q", id, s.Data)
		}
		f.results[id] = true
		return f.call(calls.Revive())
	default:
		return fmt.Errorf("%s: %v %s", id, s.GetState(), s.GetMessage())
	}
	return nil
}

func (f *framework) handle(e *scheduler.Event) error {
	switch e.GetType() {
	case scheduler.Event_SUBSCRIBED:
		f.id = e.Subscribed.FrameworkID.Value
	case scheduler.Event_OFFERS:
		return f.offers(e.Offers.Offers)
	case scheduler.Event_UPDATE:
		return f.update(&e.Update.Status)
	case scheduler.Event_MESSAGE:
		want := "echo:" + f.agents[e.Message.AgentID.Value]
		if string(e.Message.Data) != want {
			return fmt.Errorf("message %q, not %q", e.Message.Data, want)
		}
		f.echoes[e.Message.AgentID.Value] = true
	case scheduler.Event_ERROR:
		return errors.New(e.Error.Message)
	case scheduler.Event_FAILURE:
		return fmt.Errorf("an executor or agent failed: %v", e.Failure)
	}
	return nil
}

func runScheduler(master string, tasks int) error {
	f := &framework{
		caller:  httpsched.NewCaller(client(master, "/api/v1/scheduler")),
		tasks:   tasks,
		running: map[string]bool{},
		results: map[string]bool{},
		echoes:  map[string]bool{},
		agents:  map[string]string{},
	}
	timer := time.AfterFunc(patience, func() {
		log.Fatalf("it takes too long: %d of %d tasks, %d of %d echoes", len(f.results), tasks, len(f.echoes),
			len(f.agents))
	})
	defer timer.Stop()
	stream, err := f.caller.Call(context.Background(), calls.Subscribe(&mesos.FrameworkInfo{
		User:         "nobody",
		Name:         "interop",
		Roles:        []string{"*"},
		Capabilities: []mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE}},
	}))
	if err != nil {
		return err
	}
	defer stream.Close()
	for len(f.results) < tasks || len(f.echoes) < len(f.agents) {
		var e scheduler.Event
		if err := stream.Decode(&e); err != nil {
			return err
		}
		if err := f.handle(&e); err != nil {
			return err
		}
	}
	teardown := &scheduler.Call{Type: scheduler.Call_TEARDOWN}
	if err := f.call(teardown); err != nil {
		return err
	}
	fmt.Printf("%d tasks, %d messages\n", len(f.results), len(f.echoes))
	return nil
}
